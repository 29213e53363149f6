package org.slotwise.diffusion;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.normal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.OnDevice;

@ExtendWith(OnDevice.class)
class DiffusionErrorsTest {

    private static final NoiseSchedule SHORT = NoiseSchedule.cosine(10);

    @Test
    void schedules() {
        assertRefused(
                "NoiseSchedule: beta must be above 0 and below 1, got 0.0 at time 1",
                () -> NoiseSchedule.of(0.1, 0));
        assertRefused(
                "NoiseSchedule: beta must be above 0 and below 1, got 1.0 at time 0",
                () -> NoiseSchedule.of(1, 0.5));
        assertRefused(
                "NoiseSchedule: beta must be above 0 and below 1, got NaN at time 0",
                () -> NoiseSchedule.of(Double.NaN));
        assertRefused(
                "NoiseSchedule: beta must not vanish beside 1, got 1.0E-300",
                () -> NoiseSchedule.of(1e-300));
        assertRefused(
                "NoiseSchedule: the number of betas must be at least 1, got 0",
                () -> NoiseSchedule.of());
        assertRefused(
                "NoiseSchedule: first and last beta must be above 0 and below 1, got 1.0",
                () -> NoiseSchedule.linear(10, 0.1, 1));
        assertRefused(
                "NoiseSchedule: first and last beta must be above 0 and below 1, got -0.1",
                () -> NoiseSchedule.scaledLinear(10, -0.1, 0.5));
        assertRefused(
                "NoiseSchedule: steps must be at least 1, got 0", () -> NoiseSchedule.cosine(0));
        assertRefused(
                "NoiseSchedule: steps must be at most 1048576, got 2147483647",
                () -> NoiseSchedule.linear(Integer.MAX_VALUE, 0.1, 0.2));
        assertRefused(
                "NoiseSchedule: steps must be at least 2 for a zero terminal SNR, got 1",
                () -> NoiseSchedule.linear(1, 0.1, 0.2).withZeroTerminalSnr());
        assertRefused("NoiseSchedule: a time must be from 0 to 9, got 10", () -> SHORT.beta(10));
        assertRefused(
                "NoiseSchedule: a time must be from -1 to 9, got -2", () -> SHORT.alphaBar(-2));
        assertRefused(
                "NoiseSchedule: a time must be from 0 to 9, got -1", () -> SHORT.signalToNoise(-1));
    }

    @Test
    void times() {
        assertRefused(
                "TimestepSpacing: the number of steps must be from 1 to 10, got 11",
                () -> TimestepSpacing.LEADING.times(10, 11, 0));
        assertRefused(
                "TimestepSpacing: the number of steps must be from 1 to 9, got 10",
                () -> TimestepSpacing.LINSPACE.solverTimes(10, 10, 0));
        assertRefused(
                "TimestepSpacing: offset must be 0, or at least 0 with LEADING, got 1",
                () -> TimestepSpacing.TRAILING.times(10, 2, 1));
        assertRefused(
                "TimestepSpacing: times must be below 10, got 10 with this offset",
                () -> TimestepSpacing.LEADING.times(10, 10, 1));
        assertRefused("TimeChoice: count must be at least 1, got 0", () -> TimeChoice.leading(0));
        assertRefused(
                "TimeChoice: count must be at least 0, got -1",
                () -> new TimeChoice(-1, TimestepSpacing.LEADING, 0));
    }

    @Test
    void samplers() {
        assertRefused("Ddpm: schedule must not be null", () -> Ddpm.builder().build());
        assertRefused("Ddim: schedule must not be null", () -> Ddim.builder().build());
        assertRefused("DpmSolver: schedule must not be null", () -> DpmSolver.builder().build());
        assertRefused(
                "Ddim: eta must be from 0 to 1, got NaN",
                () -> Ddim.builder().setSchedule(SHORT).optEta(Double.NaN).build());
        assertRefused(
                "DpmSolver: order must be from 1 to 3, got 4",
                () -> DpmSolver.builder().setSchedule(SHORT).optOrder(4).build());
        assertRefused(
                "TimestepSpacing: the number of steps must be from 1 to 10, got 50",
                () -> Ddim.builder().setSchedule(SHORT).build());
        Ddpm ddpm = Ddpm.builder().setSchedule(SHORT).build();
        assertRefused("Sampler: a step must be from 0 to 9, got 10", () -> ddpm.step(10));
        assertRefused("Sampling: sampler must not be null", () -> Sampling.builder().build());
        assertRefused(
                "Sampling: prediction must not be null",
                () -> Sampling.builder().setSampler(ddpm).build());
        assertRefused(
                "EstimateChange: bound must be above 0 and finite, got 0.0",
                () -> EstimateChange.clipped(0));
    }

    @Test
    void sampling(NDManager manager) {
        Sampling sampling =
                Sampling.builder()
                        .setSampler(Ddpm.builder().setSchedule(SHORT).build())
                        .setPrediction(Prediction.NOISE)
                        .build();
        SampledNetwork same = (z, t) -> z;
        Shape shape = new Shape(2, 3);
        assertRefused(
                "Sampling: the shape of latents must have sizes of at least 1, got ()",
                () -> sampling.sample(same, manager, new Shape(), DataType.FLOAT32, 0));
        assertRefused(
                "Sampling: the shape of latents must have sizes of at least 1, got (0, 3)",
                () -> sampling.sample(same, manager, new Shape(0, 3), DataType.FLOAT32, 0));
        assertRefused(
                "Sampling: latents must be float32, float64 or float16, got int32",
                () -> sampling.sample(same, manager, shape, DataType.INT32, 0));
        assertRefused(
                "Sampling: what the network predicts must be (2, 3), got (2)",
                () ->
                        sampling.sample(
                                (z, t) -> z.sum(new int[] {1}),
                                manager,
                                shape,
                                DataType.FLOAT32,
                                0));
        assertRefused(
                "StepNoise: there must be noise for step 1, got that of 1 steps",
                () ->
                        sampling.sample(
                                same,
                                normal(manager, 1, 2, 3),
                                StepNoise.given(List.of(normal(manager, 2, 2, 3)))));
        assertRefused(
                "Sampling: noise must be (2, 3), got (3, 2)",
                () ->
                        sampling.sample(
                                same,
                                normal(manager, 1, 2, 3),
                                StepNoise.given(List.of(normal(manager, 2, 3, 2)))));
    }

    @Test
    void noising(NDManager manager) {
        Noising noising = new Noising(SHORT);
        NDArray x = normal(manager, 1, 2, 3);
        assertRefused(
                "Noising: noise must be (2, 3) as latents, got (3, 2)",
                () -> noising.noised(x, normal(manager, 1, 3, 2), 0, 0));
        assertRefused(
                "Noising: there must be a time for each of (2, 3), got 1",
                () -> noising.noised(x, x, 0));
        assertRefused(
                "Noising: a time must be from 0 to 9, got 10", () -> noising.noised(x, x, 0, 10));
        assertRefused(
                "DenoisingLoss: minSnr must be above 0, got NaN",
                () -> new DenoisingLoss(noising, Prediction.NOISE, Double.NaN));
        DenoisingLoss loss = DenoisingLoss.of(noising, Prediction.NOISE);
        assertRefused(
                "DenoisingLoss: target must be (2, 3) as predictions, got (3, 2)",
                () -> loss.of(x, normal(manager, 1, 3, 2), 0, 0));
        assertThrows(IllegalArgumentException.class, () -> loss.of(x, x, 0, -1));
        assertRefused(
                "DiffusionDraws: latents must be (B, C, ...), got (2)",
                () ->
                        DiffusionDraws.of(
                                new Random(0), SHORT, manager, new Shape(2), DataType.FLOAT32, 0));
        assertRefused(
                "DiffusionDraws: offset must be at least 0 and finite, got -1.0",
                () ->
                        DiffusionDraws.of(
                                new Random(0),
                                SHORT,
                                manager,
                                new Shape(2, 1),
                                DataType.FLOAT32,
                                -1));
        assertRefused(
                "DiffusionDraws: noise must have sizes of at least 1 and at most 268435456 numbers,"
                        + " got [65536, 65536]",
                () ->
                        DiffusionDraws.of(
                                new Random(0),
                                SHORT,
                                manager,
                                new Shape(65536, 65536),
                                DataType.FLOAT32,
                                0));
        assertRefused(
                "StepNoise: noise must have sizes of at least 1 and at most 268435456 numbers, got"
                        + " [65536, 65536]",
                () ->
                        StepNoise.seeded(0)
                                .at(
                                        -1,
                                        manager,
                                        manager.getDevice(),
                                        new Shape(65536, 65536),
                                        DataType.FLOAT32));
    }
}
