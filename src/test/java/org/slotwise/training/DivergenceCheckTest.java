package org.slotwise.training;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Model;
import ai.djl.TrainingDivergedException;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.Trainer;
import ai.djl.training.listener.TrainingListener.BatchData;
import ai.djl.training.loss.Loss;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DivergenceCheckTest {

    private static final double USUAL = 0.15;

    private final Random random = new Random(1);

    /** 200 steps, as trainings begin: 80 and falling. */
    private long begin(DivergenceCheck check) {
        for (int step = 1; step <= 200; step++) {
            check.check(step, 0.1, norm(step));
        }
        return 200;
    }

    private double norm(long step) {
        return (USUAL + 80 * Math.exp(-step / 5.0)) * Math.exp(0.5 * random.nextGaussian());
    }

    private static String diverges(DivergenceCheck check, long step, double loss, double norm) {
        return assertThrows(TrainingDivergedException.class, () -> check.check(step, loss, norm))
                .getMessage();
    }

    @Test
    void saysNothingOfAnOrdinaryTraining() {
        DivergenceCheck check = DivergenceCheck.builder().build();
        for (int step = 1; step <= 5000; step++) {
            check.check(step, 0.1, norm(step));
        }
        // The other way round: a start at which nothing moves, and then it learns.
        DivergenceCheck plateau = DivergenceCheck.builder().build();
        for (int step = 1; step <= 5000; step++) {
            plateau.check(step, 0.1, Math.min(1, 1e-3 * Math.exp(step / 100.0)));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "NaN, 0.1, the loss",
        "Infinity, 0.1, the loss",
        "-Infinity, 0.1, the loss",
        "0.1, NaN, the gradient",
        "0.1, Infinity, the gradient",
        "NaN, NaN, the loss"
    })
    void stopsAtNumbersThatAreNotFinite(double loss, double norm, String what) {
        String message = diverges(DivergenceCheck.builder().build(), 1, loss, norm);
        assertTrue(message.startsWith("Training diverged at step 1: " + what), message);
        assertTrue(message.contains(String.format("loss %s", loss)), message);
        for (String advice : new String[] {"lower learning rate", "clip", "warm up", "data"}) {
            assertTrue(message.contains(advice), message);
        }
    }

    @Test
    void stopsWhenTheNormExplodes() {
        DivergenceCheck check = DivergenceCheck.builder().build();
        check.lastGood(Path.of("good.safetensors"));
        long step = begin(check);
        for (int i = 1; i < 20; i++) {
            check.check(++step, 0.1, 500);
        }
        String message = diverges(check, 220, 0.25, 500);
        assertTrue(message.contains("at step 220: for 20 steps"), message);
        assertTrue(message.contains("loss 0.25000, gradient norm 500.00"), message);
        assertTrue(message.endsWith("The last good checkpoint is good.safetensors"), message);
    }

    @Test
    void passesOverSinglePeaks() {
        DivergenceCheck check = DivergenceCheck.builder().build();
        long step = begin(check);
        for (int round = 0; round < 50; round++) {
            for (int i = 0; i < 19; i++) {
                check.check(++step, 0.1, 1e6);
            }
            check.check(++step, 0.1, USUAL);
        }
    }

    /** The norms that are too large do not make themselves usual. */
    @Test
    void seesALongExplosionThatGrows() {
        DivergenceCheck check = DivergenceCheck.builder().optPatience(60).build();
        long start = begin(check);
        TrainingDivergedException thrown =
                assertThrows(
                        TrainingDivergedException.class,
                        () -> {
                            for (int i = 1; i < 400; i++) {
                                check.check(start + i, 0.1, USUAL * Math.exp(i / 5.0));
                            }
                        });
        assertTrue(thrown.getMessage().contains("for 60 steps"), thrown.getMessage());
    }

    @Test
    void hasOptions() {
        DivergenceCheck strict =
                DivergenceCheck.builder().optFactor(2).optPatience(1).optWindow(3).build();
        strict.check(1, 1, 1);
        strict.check(2, 1, 50);
        strict.check(3, 1, 1);
        strict.check(4, 1, 2);
        String message = diverges(strict, 5, 1, 4.1);
        assertTrue(message.contains("more than 2.0 times its usual 2.0000"), message);
        assertDoesNotThrow(() -> DivergenceCheck.builder().build().check(5, 1, 1));
    }

    @ParameterizedTest
    @CsvSource({
        "1, 20, 100, factor must be above 1",
        "NaN, 20, 100, factor must be above 1",
        "Infinity, 20, 100, factor must be above 1",
        "100, 0, 100, patience must be at least 1",
        "100, 20, 0, window must be at least 1"
    })
    void refusesWrongOptions(double factor, int patience, int window, String says) {
        DivergenceCheck.Builder builder =
                DivergenceCheck.builder().optFactor(factor).optPatience(patience).optWindow(window);
        String message = assertThrows(IllegalArgumentException.class, builder::build).getMessage();
        assertTrue(message.startsWith("DivergenceCheck: " + says), message);
    }

    @Test
    void needsTheClippingAsAListener() {
        DivergenceCheck check = DivergenceCheck.builder().build();
        try (Model model = Model.newInstance("none");
                Trainer trainer = new Trainer(model, new DefaultTrainingConfig(Loss.l1Loss()))) {
            BatchData batch = new BatchData(null, Map.of(), Map.of());
            assertEquals(
                    "DivergenceCheck: as a listener it needs the clipping: builder(clipping)",
                    assertThrows(
                                    IllegalStateException.class,
                                    () -> check.onTrainingBatch(trainer, batch))
                            .getMessage());
        }
    }
}
