package org.slotwise.gnm;

import static org.slotwise.testing.Tensors.assertClose;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.gnm.GnmConfiguration.Latents;
import org.slotwise.gnm.GnmConfiguration.Picture;
import org.slotwise.gnm.GnmNetworks.Scene;
import org.slotwise.gnm.GnmNetworks.Stack;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/**
 * Two calls of the engine give what the layers give one by one, which a store makes them do that
 * has copies of the parameters.
 */
@ExtendWith(OnDevice.class)
class GnmCallsTest {

    private static final DataType TYPE = DataType.FLOAT64;

    /** Kernels of 3 in the recurrent cells and before the heads, groups, and four steps. */
    private static GnmConfiguration wide() {
        GnmConfiguration tiny = GnmContractTest.tiny();
        GnmNetworks n = tiny.networks();
        Scene s = n.scene();
        int e = n.encoder().last();
        Stack cells = new Stack(List.of(4, 6), List.of(3, 1), List.of(1, 1), List.of(2, 3));
        Stack map = new Stack(List.of(4, e), List.of(1, 3), List.of(1, 1), List.of(2, 1));
        Scene scene =
                new Scene(
                        3,
                        s.encoderSize(),
                        s.decoderSize(),
                        s.posterior(),
                        s.prior(),
                        s.decoder(),
                        s.decoderChannels(),
                        map);
        return new GnmConfiguration(
                tiny.picture(),
                tiny.cells(),
                new Latents(3, 4, 4, 2),
                new GnmNetworks(
                        n.encoder(),
                        cells,
                        n.glimpse(),
                        n.background(),
                        scene,
                        n.backgroundPosterior(),
                        n.backgroundPrior()),
                tiny.sigma());
    }

    static Stream<GnmConfiguration> sizes() {
        Picture grey = new Picture(8, 1, true, true);
        return Stream.of(
                GnmContractTest.tiny(),
                wide(),
                GnmContractTest.tiny(new Picture(8, 3, true, false), new Latents(3, 2, 4, 2)),
                GnmContractTest.tiny(new Picture(8, 3, false, true), new Latents(3, 2, 4, 2)),
                GnmContractTest.tiny(grey, new Latents(2, 1, 3, 1)),
                GnmConfiguration.small(32));
    }

    private static Gnm initialised(NDManager manager, GnmConfiguration sizes) {
        manager.getEngine().setRandomSeed(5);
        Gnm gnm = new Gnm(sizes);
        int size = sizes.picture().size();
        gnm.initialize(manager, TYPE, new Shape(1, sizes.picture().channels(), size, size));
        return gnm;
    }

    private static NDArray images(NDManager manager, GnmConfiguration sizes) {
        int size = sizes.picture().size();
        return Tensors.uniform(manager, 1, TYPE, 3, sizes.picture().channels(), size, size);
    }

    private static void assertAlike(List<NDArray> expected, List<NDArray> got) {
        for (int i = 0; i < Math.max(expected.size(), got.size()); i++) {
            assertClose("array " + i, expected.get(i), got.get(i), 1e-9, 1);
        }
    }

    private static List<NDArray> step(
            NDManager manager, Gnm gnm, NDArray images, boolean copies, GnmSetting setting) {
        manager.getEngine().setRandomSeed(6);
        NDArray x = images.duplicate();
        x.setRequiresGradient(true);
        ParameterStore store = new ParameterStore(manager, copies);
        List<NDArray> all = new ArrayList<>();
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            GnmOutput out = gnm.step(store, x, setting, GnmNoise.drawn(), true);
            NDList arrays = out.arrays();
            all.addAll(arrays);
            all.add(out.logImportance());
            // All that is given has its gradient.
            NDArray sum = out.loss();
            for (NDArray array : arrays) {
                sum = sum.add(array.mean());
            }
            collector.backward(sum);
        }
        all.add(x.getGradient());
        return all;
    }

    @ParameterizedTest
    @MethodSource("sizes")
    void steps(GnmConfiguration sizes, NDManager manager) {
        Gnm gnm = initialised(manager, sizes);
        NDArray images = images(manager, sizes);
        for (GnmSetting setting :
                List.of(
                        GnmSetting.of(0.7),
                        new GnmSetting(
                                1.3, Map.of(GnmTerm.SCENE, 0.2), 0.05, sizes.cells() - 2.5, 0.9))) {
            assertAlike(
                    step(manager, gnm, images, true, setting),
                    step(manager, gnm, images, false, setting));
        }
    }

    @ParameterizedTest
    @MethodSource("sizes")
    void explanations(GnmConfiguration sizes, NDManager manager) {
        Gnm gnm = initialised(manager, sizes);
        NDArray images = images(manager, sizes);
        NDArray bias =
                gnm.getParameters().values().stream()
                        .filter(p -> p.getName().equals("p_z_given_x_or_g_net.q_pres_net.bias"))
                        .findFirst()
                        .orElseThrow()
                        .getArray();
        // None, some and all cells have an object.
        for (double presence : new double[] {-9, 0, 9}) {
            bias.muli(0).addi(presence);
            List<NDArray> expected =
                    gnm.explain(new ParameterStore(manager, true), images, GnmDraws.mode())
                            .arrays();
            ParameterStore own = new ParameterStore(manager, false);
            NDList first = gnm.explain(own, images, GnmDraws.mode()).arrays();
            assertAlike(expected, first);
            NDList again = gnm.explain(own, images, GnmDraws.mode()).arrays();
            for (int i = 0; i < first.size(); i++) {
                Tensors.assertSame("array " + i, first.get(i), again.get(i));
            }
        }
    }

    @Test
    void aStepIsTheSameToTheLastBit(NDManager manager) {
        GnmConfiguration sizes = GnmConfiguration.small(32);
        Gnm gnm = initialised(manager, sizes);
        NDArray images = images(manager, sizes);
        GnmSetting setting = GnmSetting.of(1);
        List<NDArray> first = step(manager, gnm, images, false, setting);
        for (int t = 0; t < 3; t++) {
            List<NDArray> again = step(manager, gnm, images, false, setting);
            for (int i = 0; i < first.size(); i++) {
                Tensors.assertSame("array " + i, first.get(i), again.get(i));
            }
        }
    }
}
