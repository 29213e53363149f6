package org.slotwise.gnm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.testing.AgainstReference;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;
import org.slotwise.testing.Tensors;
import org.slotwise.training.Checkpoint;
import org.slotwise.training.GradientClipping;
import org.slotwise.training.LearningRate;
import org.slotwise.training.RmsProp;
import org.slotwise.training.StatefulOptimizer;

/** Training steps beside the original's, and trainings that go on. */
@ExtendWith(OnDevice.class)
class GnmTrainingTest {

    @TempDir private Path folder;

    private static RmsProp optimizer() {
        return RmsProp.builder().optLearningRate(LearningRate.constant(1e-4)).build();
    }

    /** The inputs of a step among those of all. */
    private static Map<String, NDArray> of(Map<String, NDArray> in, int step) {
        Map<String, NDArray> own = new LinkedHashMap<>();
        in.forEach(
                (name, array) -> {
                    if (array.getShape().dimension() > 0) {
                        own.put(name, array.get(step));
                    }
                });
        return own;
    }

    private static double[] step(
            NDManager manager,
            Gnm gnm,
            StatefulOptimizer optimizer,
            Map<String, NDArray> in,
            GnmSetting setting) {
        double loss;
        ParameterStore store = new ParameterStore(manager, false);
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            GnmOutput out =
                    gnm.step(store, in.get("images"), setting, GnmCases.noise(in, false), true);
            loss = out.loss().getDouble();
            collector.backward(out.loss());
        }
        double norm = new GradientClipping(1).clip(gnm, manager).getDouble();
        for (Parameter parameter : gnm.getParameters().values()) {
            if (parameter.requiresGradient()) {
                NDArray array = parameter.getArray();
                optimizer.update(parameter.getId(), array, array.getGradient());
            }
        }
        return new double[] {loss, norm};
    }

    @Test
    void fourStepsAreThoseOfTheOriginal(NDManager manager) {
        ReferenceCase reference = GnmCases.named("training", "gnm_training");
        Map<String, NDArray> arrays = reference.arrays(manager);
        Map<String, NDArray> in = ReferenceCase.under("in/", arrays);
        Gnm gnm = new Gnm(GnmCases.sizes(reference));
        AgainstReference.load(manager, gnm, DataType.FLOAT64, arrays);
        GnmSchedules schedules = GnmCases.schedules(reference);
        try (RmsProp optimizer = optimizer()) {
            for (int t = 0; t < 4; t++) {
                double[] got = step(manager, gnm, optimizer, of(in, t), schedules.at(t));
                close(arrays, "loss", t, got[0]);
                close(arrays, "grad_norm", t, got[1]);
            }
            assertEquals(4, optimizer.step());
        }
        Map<String, NDArray> after = ReferenceCase.parameters(gnm);
        ReferenceCase.under("out/trained/", arrays)
                .forEach(
                        (name, array) -> {
                            if (name.equals("aux_p_pres_probs")) {
                                // The original's pass overwrites this buffer; ours leaves it.
                                assertEquals(
                                        schedules.at(3).presencePrior(), array.getDouble(), 1e-12);
                                assertEquals(
                                        arrays.get("param/" + name).getDouble(),
                                        after.get(name).getDouble());
                            } else {
                                assertClose(name, array, after.get(name), 1e-9);
                            }
                        });
    }

    private static void close(Map<String, NDArray> arrays, String what, int t, double got) {
        double expected = arrays.get("out/" + what).getDouble(t);
        assertEquals(expected, got, 1e-9 * Math.abs(expected), what + " of step " + t);
    }

    @Test
    void aTrainingGoesOnToEqualWeights(NDManager manager) throws Exception {
        ReferenceCase reference = GnmCases.named("training", "gnm_training");
        Map<String, NDArray> arrays = reference.arrays(manager);
        Map<String, NDArray> in = ReferenceCase.under("in/", arrays);
        GnmSchedules schedules = GnmCases.schedules(reference);
        Path file = folder.resolve("half.safetensors");
        Gnm whole = new Gnm(GnmCases.sizes(reference));
        AgainstReference.load(manager, whole, DataType.FLOAT64, arrays);
        try (RmsProp optimizer = optimizer()) {
            for (int t = 0; t < 4; t++) {
                if (t == 2) {
                    Checkpoint.write(file, whole, optimizer, t, Map.of());
                }
                step(manager, whole, optimizer, of(in, t), schedules.at(t));
            }
        }
        Gnm resumed = new Gnm(GnmCases.sizes(reference));
        resumed.initialize(manager, DataType.FLOAT64, new Shape(2, 3, 16, 16));
        try (RmsProp optimizer = optimizer();
                Checkpoint checkpoint = Checkpoint.read(file)) {
            checkpoint.restore(resumed, optimizer);
            assertEquals(2, optimizer.step());
            for (int t = (int) checkpoint.step(); t < 4; t++) {
                step(manager, resumed, optimizer, of(in, t), schedules.at(t));
            }
        }
        Map<String, NDArray> expected = ReferenceCase.parameters(whole);
        ReferenceCase.parameters(resumed)
                .forEach((name, array) -> Tensors.assertSame(name, expected.get(name), array));
    }

    @Test
    void likelyObjectsAreLikely(NDManager manager) {
        Gnm gnm = new Gnm(GnmConfiguration.small(32));
        GnmStart start = GnmStart.likelyObjects();
        assertRefused("GnmStart: the block must be initialized", () -> start.applyTo(gnm));
        gnm.initialize(manager, DataType.FLOAT32, new Shape(1, 3, 32, 32));
        ParameterStore store = new ParameterStore(manager, false);
        NDArray images = Tensors.uniform(manager, 1, DataType.FLOAT32, 4, 3, 32, 32);
        double before = first(gnm, store, images);
        start.applyTo(gnm);
        ExplainedScenes found = gnm.explain(store, images, GnmDraws.mode());
        CellLatents q = found.latents();
        assertEquals(2, q.presence().mean().getFloat(), 0.4, "presence, was " + before);
        assertEquals(16 * 4, found.cells().presence().sum().getFloat());
        assertEquals(-1, q.where().mean().get(":, 0").mean().getFloat(), 0.05);
        assertEquals(0.2, q.where().deviation().get(":, 2:").mean().getFloat(), 0.02);
        assertEquals(0.1, q.depth().deviation().mean().getFloat(), 0.05);
        assertTrue(found.rendered().background().mean().getFloat() < 0.1, "dark");
        for (int count : found.counts()) {
            assertEquals(16, count);
        }
    }

    private static double first(Gnm gnm, ParameterStore store, NDArray images) {
        return gnm.explain(store, images, GnmDraws.mode()).latents().presence().mean().getFloat();
    }
}
