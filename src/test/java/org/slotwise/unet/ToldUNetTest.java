package org.slotwise.unet;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.normal;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slotwise.internal.Ops;
import org.slotwise.layer.ResnetBlock;
import org.slotwise.testing.Garbage;
import org.slotwise.testing.OnDevice;

/** A network that was told slots and times predicts what it does without. */
@ExtendWith(OnDevice.class)
class ToldUNetTest {

    private static UNet unet(NDManager manager, DataType type, boolean scaleShift) {
        manager.getEngine().setRandomSeed(1);
        UNet unet =
                new UNet(
                        UNetConfiguration.builder()
                                .setChannels(2, 2)
                                .setWidths(4, 6)
                                .setTransformer(TransformerOptions.of(5, Heads.count(2)))
                                .optResidual(new ResnetBlock.Options(2, 1e-5, 0.1, scaleShift))
                                .build());
        unet.initialize(manager, type, new Shape(1, 2, 4, 4));
        unet.getParameters()
                .values()
                .forEach(
                        p -> {
                            Shape shape = p.getArray().getShape();
                            Ops.overwrite(p.getArray(), manager.randomUniform(-1, 1, shape, type));
                        });
        return unet;
    }

    private static NDArray times(NDManager manager, int batch, int time) {
        long[] all = new long[batch];
        Arrays.fill(all, time);
        return manager.create(all);
    }

    /** Sizes on both sides of what the engine leaves to oneDNN. */
    @ParameterizedTest
    @CsvSource({
        "FLOAT32, 1, 4, false", "FLOAT32, 3, 4, false", "FLOAT32, 3, 4, true",
        "FLOAT32, 1, 76, false", "FLOAT64, 2, 4, false", "FLOAT64, 2, 4, true"
    })
    void predictsAtTimesToldAndOthers(
            DataType type, int batch, int side, boolean scaleShift, NDManager manager) {
        UNet unet = unet(manager, type, scaleShift);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray z = normal(manager, 1, type, batch, 2, side, side);
        NDArray s = normal(manager, 2, type, batch, 3, 5);
        try (ToldDenoiser told = unet.told(store, s, 3, 40, 40);
                ToldDenoiser untold = unet.told(store, s)) {
            for (int time : new int[] {40, 3, 999, 0, 40}) {
                NDArray t = times(manager, batch, time);
                NDArray expected = unet.predict(store, z, t, s, false);
                double tolerance = type == DataType.FLOAT64 ? 1e-12 : 1e-5;
                assertClose("at " + time, expected, told.predict(z, time), tolerance);
                assertClose("untold " + time, expected, untold.predict(z, time), tolerance);
                assertClose("each " + time, expected, told.predict(z, t), tolerance);
            }
        }
    }

    @Test
    void whatItPredictsCanTakePartInAGraph(NDManager manager) {
        UNet unet = unet(manager, DataType.FLOAT32, false);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray z = normal(manager, 1, 2, 2, 4, 4);
        NDArray weight = normal(manager, 3, 2, 2, 4, 4);
        weight.setRequiresGradient(true);
        try (ToldDenoiser told = unet.told(store, normal(manager, 2, 2, 3, 5), 7);
                GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            NDArray at = told.predict(z, 7);
            NDArray each = told.predict(z, times(manager, 2, 7));
            collector.backward(weight.mul(at).add(weight.mul(each)).sum());
            assertClose("gradient", at.add(each), weight.getGradient(), 1e-6);
            at.addi(each); // changed in its own place
        }
    }

    @Test
    void isOfTheWeightsThatItWasMadeOf(NDManager manager) {
        UNet unet = unet(manager, DataType.FLOAT32, false);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray z = normal(manager, 1, 3, 2, 4, 4);
        NDArray s = normal(manager, 2, 3, 3, 5);
        float[] before;
        try (ToldDenoiser told = unet.told(store, s, 5)) {
            Garbage.collect();
            before = told.predict(z, 5).toFloatArray();
        }
        unet.getParameters()
                .values()
                .forEach(p -> Ops.overwrite(p.getArray(), p.getArray().mul(0.5f)));
        try (ToldDenoiser told = unet.told(store, s, 5)) {
            NDArray after = told.predict(z, 5);
            assertFalse(Arrays.equals(before, after.toFloatArray()));
            NDArray expected = unet.predict(store, z, times(manager, 3, 5), s, false);
            assertClose("after", expected, after, 1e-5);
        }
    }

    @Test
    void threadsMayAskTheSame(NDManager manager) throws Exception {
        UNet unet = unet(manager, DataType.FLOAT32, false);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray z = normal(manager, 1, 3, 2, 4, 4);
        NDArray s = normal(manager, 2, 3, 3, 5);
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try (ToldDenoiser told = unet.told(store, s, 5);
                ToldDenoiser other = unet.told(store, s.mul(2), 5)) {
            float[] expected = told.predict(z, 5).toFloatArray();
            float[] others = other.predict(z, 5).toFloatArray();
            assertFalse(Arrays.equals(expected, others));
            List<Future<float[]>> all = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                ToldDenoiser asked = i % 2 == 0 ? told : other;
                int unknown = i;
                all.add(
                        threads.submit(
                                () -> {
                                    asked.predict(z, 900 + unknown % 3).close();
                                    return asked.predict(z, 5).toFloatArray();
                                }));
            }
            for (int i = 0; i < all.size(); i++) {
                assertArrayEquals(i % 2 == 0 ? expected : others, all.get(i).get());
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void leavesNothingBehind(NDManager manager) {
        UNet unet = unet(manager, DataType.FLOAT32, false);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray z = normal(manager, 1, 3, 2, 4, 4);
        NDArray s = normal(manager, 2, 3, 3, 5);
        int before = manager.getManagedArrays().size();
        try (ToldDenoiser told = unet.told(store, s, 5, 6)) {
            told.predict(z, 5).close();
            told.predict(z, 999).close();
        }
        assertEquals(before, manager.getManagedArrays().size());
    }

    @Test
    void endsWithItsSlotsManager(NDManager manager) {
        assumeFalse(manager.getDevice().isGpu(), "there it has nothing of its own");
        UNet unet = unet(manager, DataType.FLOAT32, false);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray z = normal(manager, 1, 3, 2, 4, 4);
        ToldDenoiser told;
        try (NDManager own = manager.newSubManager()) {
            NDArray s = normal(manager, 2, 3, 3, 5);
            s.attach(own);
            told = unet.told(store, s, 5);
        }
        assertRefused(
                "UNet: slots must be an open array, got a closed one", () -> told.predict(z, 5));
        told.close();
        ToldDenoiser closed = unet.told(store, normal(manager, 2, 3, 3, 5), 5);
        closed.close();
        closed.close();
        assertThrows(IllegalStateException.class, () -> closed.predict(z, 5));
        IllegalStateException e =
                assertThrows(IllegalStateException.class, () -> closed.predict(z, 77));
        assertEquals("UNet: what it was told is closed", e.getMessage());
    }

    @Test
    void errors(NDManager manager) {
        UNet unet = unet(manager, DataType.FLOAT32, false);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray s = normal(manager, 2, 3, 3, 5);
        NDArray z = normal(manager, 1, 3, 2, 4, 4);
        assertRefused("UNet: times must be at least 0, got -1", () -> unet.told(store, s, 4, -1));
        try (ToldDenoiser told = unet.told(store, s, 4)) {
            String who = manager.getDevice().isGpu() ? "ToldDenoiser" : "UNet"; // one call or not
            assertRefused(who + ": time must be at least 0, got -1", () -> told.predict(z, -1));
            assertRefused(
                    "UNet: slots must be (1, K, 5), got (3, 3, 5)",
                    () -> told.predict(z.get("0:1"), 4));
            assertTrue(told.predict(z, 4).getShape().equals(z.getShape()));
        }
    }
}
