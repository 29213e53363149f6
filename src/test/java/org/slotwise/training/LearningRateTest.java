package org.slotwise.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;

import org.junit.jupiter.api.Test;

class LearningRateTest {

    @Test
    void constant() {
        LearningRate rate = LearningRate.constant(4e-4);
        assertEquals(4e-4, rate.at(1));
        assertEquals(4e-4, rate.at(1_000_000));
        assertEquals(4e-4f, rate.getNewValue(7));
        assertEquals(4e-4f, rate.getNewValue("parameter", 7));
    }

    @Test
    void warmUp() {
        LearningRate rate = LearningRate.warmUp(1e-4, 30_000);
        assertEquals(1e-4 / 30_000, rate.at(1), 1e-20);
        assertEquals(5e-5, rate.at(15_000));
        assertEquals(1e-4, rate.at(30_000));
        assertEquals(1e-4, rate.at(1_000_000));
        assertEquals(1e-4, LearningRate.warmUp(1e-4, 0).at(1));
        assertRefused(
                "LearningRate: warmUpSteps must be at least 0, got -1",
                () -> LearningRate.warmUp(1, -1));
    }

    /** The schedule of Slot Attention, at points that its formula gives by hand. */
    @Test
    void exponentialDecay() {
        LearningRate rate = LearningRate.exponentialDecay(4e-4, 10_000, 100_000, 0.5);
        assertEquals(0, rate.at(0));
        assertEquals(4e-8 * Math.pow(0.5, 1e-5), rate.at(1), 1e-22);
        assertEquals(2e-4 * Math.pow(0.5, 0.05), rate.at(5_000), 1e-18);
        assertEquals(4e-4 * Math.pow(0.5, 0.1), rate.at(10_000), 1e-18);
        assertEquals(2e-4, rate.at(100_000), 1e-18);
        assertEquals(1e-4, rate.at(200_000), 1e-18);
        assertEquals(4e-4 / 32, rate.at(500_000), 1e-18);
        assertEquals(1e-4f, rate.getNewValue(200_000));
    }

    @Test
    void exponentialDecayWithoutWarmUpOrDecay() {
        assertEquals(0.5, LearningRate.exponentialDecay(1, 0, 1, 0.5).at(1));
        assertEquals(0.125, LearningRate.exponentialDecay(1, 0, 1, 0.5).at(3));
        assertEquals(0.9, LearningRate.exponentialDecay(1, 0, 10, 0.9).at(10));
        assertEquals(1, LearningRate.exponentialDecay(1, 10, 10, 1).at(1000));
        assertEquals(0.1, LearningRate.exponentialDecay(1, 10, 10, 1).at(1));
    }

    @Test
    void cosineDecay() {
        LearningRate rate = LearningRate.cosineDecay(2e-3, 200, 1_200, 2e-5);
        assertEquals(1e-5, rate.at(1), 1e-18);
        assertEquals(1e-3, rate.at(100), 1e-18);
        assertEquals(2e-3, rate.at(200), 1e-18);
        double quarter = (1 + Math.sqrt(0.5)) / 2;
        assertEquals(2e-5 + quarter * (2e-3 - 2e-5), rate.at(450), 1e-18);
        assertEquals((2e-3 + 2e-5) / 2, rate.at(700), 1e-18);
        assertEquals(2e-5, rate.at(1_200), 1e-18);
        assertEquals(2e-5, rate.at(1_000_000), 1e-18);
        for (int step = 201; step <= 1_200; step++) {
            assertTrue(rate.at(step) < rate.at(step - 1), "falls at " + step);
        }
    }

    @Test
    void cosineDecayWithoutWarmUp() {
        LearningRate rate = LearningRate.cosineDecay(1, 0, 2, 0);
        assertEquals(0.5, rate.at(1), 1e-16);
        assertEquals(0, rate.at(2));
    }

    /** Steps near the largest an int can count do not overflow. */
    @Test
    void longTraining() {
        long steps = 3_000_000_000L;
        assertEquals(0.5, LearningRate.cosineDecay(1, 0, 2 * steps, 0).at(steps), 1e-12);
        assertEquals(0.5, LearningRate.exponentialDecay(1, 0, steps, 0.5).at(steps), 1e-12);
        assertEquals(0.5, LearningRate.exponentialDecay(1, 2 * steps, 1, 1).at(steps), 1e-12);
    }

    @Test
    void aLambdaWillDo() {
        LearningRate rate = step -> 1.0 / step;
        assertEquals(0.25f, rate.getNewValue(4));
    }

    @Test
    void refuses() {
        String who = "LearningRate: ";
        assertRefused(
                who + "rate must be at least 0 and finite, got -1.0",
                () -> LearningRate.constant(-1));
        assertRefused(
                who + "rate must be at least 0 and finite, got NaN",
                () -> LearningRate.constant(Double.NaN));
        assertRefused(
                who + "peak must be at least 0 and finite, got Infinity",
                () -> LearningRate.exponentialDecay(Double.POSITIVE_INFINITY, 0, 1, 0.5));
        assertRefused(
                who + "decaySteps must be at least 1, got 0",
                () -> LearningRate.exponentialDecay(1, 0, 0, 0.5));
        assertRefused(
                who + "decayRate must be above 0 and at most 1, got 0.0",
                () -> LearningRate.exponentialDecay(1, 0, 1, 0));
        assertRefused(
                who + "decayRate must be above 0 and at most 1, got 1.5",
                () -> LearningRate.exponentialDecay(1, 0, 1, 1.5));
        assertRefused(
                who + "warmUpSteps must be at least 0, got -1",
                () -> LearningRate.exponentialDecay(1, -1, 1, 0.5));
        assertRefused(
                who + "warmUpSteps must be at least 0, got -2",
                () -> LearningRate.cosineDecay(1, -2, 10, 0));
        assertRefused(
                who + "peak must be at least 0 and finite, got -1.0",
                () -> LearningRate.cosineDecay(-1, 0, 10, 0));
        assertRefused(
                who + "totalSteps must be above the 10 warm-up steps, got 10",
                () -> LearningRate.cosineDecay(1, 10, 10, 0));
        assertRefused(
                who + "floor must be from 0 to peak 1.0, got 1.5",
                () -> LearningRate.cosineDecay(1, 0, 10, 1.5));
        assertRefused(
                who + "floor must be from 0 to peak 1.0, got -0.1",
                () -> LearningRate.cosineDecay(1, 0, 10, -0.1));
    }
}
