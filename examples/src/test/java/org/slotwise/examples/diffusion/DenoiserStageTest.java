package org.slotwise.examples.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.slotwise.examples.shared.TrainingStep;
import org.slotwise.model.LatentSlotDiffusion;
import org.slotwise.training.Adam;
import org.slotwise.training.GradientClipping;
import org.slotwise.training.LearningRate;
import picocli.CommandLine;

/** {@code --groups}: a step's pictures go back in parts, and what is learnt is the same. */
class DenoiserStageTest {

    private static final String[] SMALL = {"--slots", "3", "--slot-dim", "8", "--width", "16"};

    /** What a step of the denoiser in so many groups gave, and what it added to each weight. */
    private record Taken(TrainingStep step, List<float[]> changes) {}

    private static Taken taken(int groups) throws IOException {
        DiffusionSizes sizes = CommandLine.populateCommand(new DiffusionSizes(), SMALL);
        Engine.getInstance().setRandomSeed(1);
        try (NDManager manager = NDManager.newBaseManager();
                LatentSlotDiffusion model = DiffusionModel.fresh(manager, sizes.configuration());
                Adam adam = likeItsGradients()) {
            List<Parameter> learnt = Learning.parameters(model.decoder());
            List<float[]> changes = numbers(learnt);
            DiffusionPictures pictures = DiffusionPictures.of(null, DiffusionPictures.SIDE, 40, 1);
            TrainingStep step;
            try (SeenPictures seen =
                    SeenPictures.of(model, pictures, null, () -> {}, new PrintWriter(System.out))) {
                step =
                        new DenoiserStage(model.decoder(), seen, DiffusionRecipe.USUAL, groups)
                                .step(manager, adam, new GradientClipping(1), new Random(2));
            }
            List<float[]> after = numbers(learnt);
            for (int i = 0; i < after.size(); i++) {
                for (int j = 0; j < after.get(i).length; j++) {
                    changes.get(i)[j] -= after.get(i)[j];
                }
            }
            return new Taken(step, changes);
        }
    }

    /** An Adam whose epsilon outweighs all else: the first step adds the gradients to weights. */
    private static Adam likeItsGradients() {
        return Adam.builder().optLearningRate(LearningRate.constant(1000)).optEps(1000).build();
    }

    private static List<float[]> numbers(List<Parameter> parameters) {
        return new ArrayList<>(
                parameters.stream().map(one -> one.getArray().toFloatArray()).toList());
    }

    @Test
    void groupsGiveTheGradientsOfAllAtOnce() throws IOException {
        Taken whole = taken(1);
        Taken parts = taken(3);
        assertEquals(whole.step().loss(), parts.step().loss(), 1e-5 * whole.step().loss());
        assertEquals(whole.step().norm(), parts.step().norm(), 1e-5 * whole.step().norm());
        float largest = 0;
        for (float[] gradient : whole.changes()) {
            for (float number : gradient) {
                largest = Math.max(largest, Math.abs(number));
            }
        }
        assertTrue(largest > 0, "something is learnt");
        for (int i = 0; i < whole.changes().size(); i++) {
            assertArrayEquals(
                    whole.changes().get(i), parts.changes().get(i), 1e-5f * largest, "" + i);
        }
    }

    /** The number gets to the step: more groups than pictures are refused there. */
    @Test
    void thereAreNotMoreGroupsThanPictures() {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> taken(33));
        assertTrue(e.getMessage().contains("groups must be 1 to"), e.getMessage());
    }
}
