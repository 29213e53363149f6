package org.slotwise.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;
import static org.slotwise.testing.Tensors.doubles;
import static org.slotwise.testing.Tensors.normal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Scalars;
import org.slotwise.testing.OnDevice;

@ExtendWith(OnDevice.class)
class SamplingTest {

    private static final NoiseSchedule LINEAR = NoiseSchedule.linear(1000, 1e-4, 0.02);
    private static final NoiseSchedule SHORT = NoiseSchedule.linear(100, 1e-3, 0.2);

    private static Sampling of(Sampler sampler, Prediction prediction) {
        return Sampling.builder().setSampler(sampler).setPrediction(prediction).build();
    }

    private static Ddim ddim(NoiseSchedule schedule, int count, double eta) {
        return Ddim.builder()
                .setSchedule(schedule)
                .optTimes(TimeChoice.leading(count))
                .optEta(eta)
                .build();
    }

    /**
     * What a perfect network predicts for data N(mean, deviation²): the expectation of z_0 given
     * z_t, said as noise, velocity or data.
     */
    private static SampledNetwork gaussian(
            NoiseSchedule schedule, Prediction prediction, double mean, double deviation) {
        return (z, t) -> {
            double a = schedule.alphaBar((int) t.toLongArray()[0]);
            double variance = deviation * deviation;
            double gain = Math.sqrt(a) * variance / (a * variance + 1 - a);
            NDArray x =
                    z.sub(Scalars.like(z, Math.sqrt(a) * mean))
                            .mul(Scalars.like(z, gain))
                            .add(Scalars.like(z, mean));
            return said(prediction, z, x, a);
        };
    }

    private static NDArray said(Prediction prediction, NDArray z, NDArray x, double a) {
        NDArray noise =
                z.sub(x.mul(Scalars.like(z, Math.sqrt(a)))).div(Scalars.like(z, Math.sqrt(1 - a)));
        return switch (prediction) {
            case NOISE -> noise;
            case DATA -> x;
            case VELOCITY ->
                    noise.mul(Scalars.like(z, Math.sqrt(a)))
                            .sub(x.mul(Scalars.like(z, Math.sqrt(1 - a))));
        };
    }

    private static List<Sampler> samplers(NoiseSchedule schedule) {
        List<Sampler> all = new ArrayList<>();
        all.add(Ddpm.builder().setSchedule(schedule).build());
        all.add(
                Ddpm.builder()
                        .setSchedule(schedule)
                        .optVariance(Ddpm.Variance.FIXED_LARGE)
                        .build());
        all.add(ddim(schedule, schedule.steps() / 2, 0));
        all.add(ddim(schedule, schedule.steps(), 1));
        for (int order = 1; order <= 3; order++) {
            all.add(
                    DpmSolver.builder()
                            .setSchedule(schedule)
                            .optOrder(order)
                            .optTimes(
                                    new TimeChoice(
                                            schedule.steps() / 2, TimestepSpacing.LINSPACE, 0))
                            .build());
        }
        return all;
    }

    /**
     * In closed form: samples must have the mean and deviation of the data. What draws needs many
     * steps for it: its variance is that of data of which nothing varies.
     */
    @ParameterizedTest
    @EnumSource(Prediction.class)
    void dataWithAKnownNetwork(Prediction prediction, NDManager manager) {
        for (Sampler sampler : samplers(LINEAR)) {
            SampledNetwork network = gaussian(LINEAR, prediction, 0.7, 0.3);
            NDArray made =
                    of(sampler, prediction)
                            .sample(network, manager, new Shape(10, 500), DataType.FLOAT64, 3);
            double[] values = doubles(made);
            double mean = Arrays.stream(values).average().orElseThrow();
            double variance =
                    Arrays.stream(values).map(v -> (v - mean) * (v - mean)).average().orElseThrow();
            String what = sampler.getClass().getSimpleName() + " " + sampler.times().length;
            assertEquals(0.7, mean, 0.02, what);
            assertEquals(0.3, Math.sqrt(variance), 0.02, what);
        }
    }

    /** For one and the same z_0 and noise it makes no difference what the network says of them. */
    @Test
    void threePredictionsGiveTheSameStep(NDManager manager) {
        NDArray z = normal(manager, 1, DataType.FLOAT64, 2, 3, 4, 4);
        NDArray x = normal(manager, 2, DataType.FLOAT64, 2, 3, 4, 4);
        NDArray drawn = normal(manager, 3, DataType.FLOAT64, 2, 3, 4, 4);
        for (Sampler sampler : samplers(SHORT)) {
            for (int index : new int[] {0, 20, sampler.times().length - 1}) {
                double a = SHORT.alphaBar(sampler.times()[index]);
                List<NDArray> former = List.of(x.add(drawn), x.sub(drawn));
                NDArray fresh = sampler.step(index).fresh() == 0 ? null : drawn;
                NDArray first = null;
                for (Prediction prediction : Prediction.values()) {
                    NDArray o = said(prediction, z, x, a);
                    NDArray made =
                            of(sampler, prediction).stepped(index, z, o, fresh, former).get(0);
                    first = first == null ? made : first;
                    assertClose(prediction + " " + index, first, made, 1e-9);
                }
            }
        }
    }

    @Test
    void ddimWithoutDrawsIsTheFirstOrderOfTheSolver(NDManager manager) {
        int[] times = TimestepSpacing.LINSPACE.solverTimes(1000, 10, 0);
        DpmSolver solver =
                DpmSolver.builder()
                        .setSchedule(LINEAR)
                        .optOrder(1)
                        .optTimes(new TimeChoice(10, TimestepSpacing.TRAILING, 0))
                        .build();
        Ddim ddim = Ddim.builder().setSchedule(LINEAR).optTimes(TimeChoice.trailing(10)).build();
        assertArrayEquals(solver.times(), ddim.times());
        assertEquals(10, times.length);
        NDArray start = normal(manager, 4, DataType.FLOAT64, 2, 8);
        SampledNetwork network = gaussian(LINEAR, Prediction.NOISE, -0.2, 0.5);
        StepNoise none = StepNoise.given(List.of());
        assertClose(
                "end",
                of(ddim, Prediction.NOISE).sample(network, start, none),
                of(solver, Prediction.NOISE).sample(network, start, none),
                1e-9);
    }

    @Test
    void ddimWithAllDrawsIsDdpm(NDManager manager) {
        NDArray start = normal(manager, 4, DataType.FLOAT64, 2, 8);
        SampledNetwork network = gaussian(SHORT, Prediction.NOISE, -0.2, 0.5);
        StepNoise noise = StepNoise.seeded(9);
        Ddpm ddpm = Ddpm.builder().setSchedule(SHORT).build();
        assertClose(
                "end",
                of(ddpm, Prediction.NOISE).sample(network, start, noise),
                of(ddim(SHORT, 100, 1), Prediction.NOISE).sample(network, start, noise),
                1e-9);
    }

    /** From a time that has nothing but noise every sampler comes to numbers. */
    @Test
    void zeroTerminalSignal(NDManager manager) {
        NoiseSchedule schedule =
                NoiseSchedule.scaledLinear(1000, 0.00085, 0.012).withZeroTerminalSnr();
        TimeChoice trailing = TimeChoice.trailing(20);
        List<Sampler> all = new ArrayList<>();
        all.add(Ddpm.builder().setSchedule(schedule).optTimes(trailing).build());
        all.add(Ddim.builder().setSchedule(schedule).optTimes(trailing).build());
        for (int order = 1; order <= 3; order++) {
            all.add(
                    DpmSolver.builder()
                            .setSchedule(schedule)
                            .optOrder(order)
                            .optTimes(trailing)
                            .build());
        }
        for (Sampler sampler : all) {
            assertEquals(999, sampler.times()[0]);
            for (Prediction p : List.of(Prediction.VELOCITY, Prediction.DATA)) {
                NDArray made =
                        of(sampler, p)
                                .sample(
                                        gaussian(schedule, p, 1.5, 0.01),
                                        manager,
                                        new Shape(4, 50),
                                        DataType.FLOAT32,
                                        1);
                assertEquals(1.5, made.mean().getFloat(), 0.01, sampler + " " + p);
            }
            assertThrows(IllegalArgumentException.class, () -> of(sampler, Prediction.NOISE));
        }
    }

    @Test
    void seedsDecide(NDManager manager) {
        Sampling sampling = of(Ddpm.builder().setSchedule(SHORT).build(), Prediction.DATA);
        SampledNetwork network = gaussian(SHORT, Prediction.DATA, 0, 1);
        Shape shape = new Shape(3, 2, 4, 4);
        NDArray one = sampling.sample(network, manager, shape, DataType.FLOAT32, 5);
        assertSame("again", one, sampling.sample(network, manager, shape, DataType.FLOAT32, 5));
        assertNotEquals(one, sampling.sample(network, manager, shape, DataType.FLOAT32, 6), "seed");
        // Picture b is the same in any batch, and no two are alike.
        NDArray alone =
                sampling.sample(network, manager, new Shape(1, 2, 4, 4), DataType.FLOAT32, 5);
        assertClose("alone", one.get("0:1"), alone, 1e-6);
        assertNotEquals(one.get(0), one.get(1));
    }

    /** Numbers of different steps and pictures have nothing to do with each other. */
    @Test
    void noiseOfStepsIsIndependent(NDManager manager) {
        StepNoise noise = StepNoise.seeded(0);
        Shape shape = new Shape(2, 2000);
        double[] all = new double[0];
        for (int step = -1; step < 2; step++) {
            NDArray drawn = noise.at(step, manager, manager.getDevice(), shape, DataType.FLOAT64);
            double[] own = doubles(drawn);
            assertEquals(0, Arrays.stream(own).average().orElseThrow(), 0.06);
            assertEquals(1, Arrays.stream(own).map(v -> v * v).average().orElseThrow(), 0.1);
            double both = 0;
            for (int i = 0; i < 2000; i++) {
                both += own[i] * own[2000 + i] / 2000;
            }
            assertEquals(0, both, 0.08);
            if (all.length > 0) {
                double dot = 0;
                for (int i = 0; i < own.length; i++) {
                    dot += own[i] * all[i] / own.length;
                }
                assertEquals(0, dot, 0.06);
            }
            all = own;
        }
    }

    @Test
    void guidanceGoesBeyondTheCondition(NDManager manager) {
        SampledNetwork with = (z, t) -> z.add(Scalars.like(z, 2));
        SampledNetwork without = (z, t) -> z.sub(Scalars.like(z, 1));
        NDArray z = manager.zeros(new Shape(1, 2));
        NDArray t = manager.zeros(new Shape(1), DataType.INT64);
        double[] guided = {-1, 2, 5};
        for (int scale = 0; scale < 3; scale++) {
            NDArray o = SampledNetwork.guided(with, without, scale).predict(z, t);
            assertEquals(guided[scale], o.getFloat(0, 0));
        }
        assertThrows(
                IllegalArgumentException.class,
                () -> SampledNetwork.guided(with, without, Double.NaN));
    }

    @Test
    void clippedEstimatesStayWithinTheirBound(NDManager manager) {
        Sampling sampling =
                Sampling.builder()
                        .setSampler(ddim(SHORT, 10, 0))
                        .setPrediction(Prediction.DATA)
                        .optChange(EstimateChange.clipped(0.5))
                        .build();
        NDArray made =
                sampling.sample(
                        (z, t) -> z.mul(Scalars.like(z, 100)),
                        manager,
                        new Shape(4, 30),
                        DataType.FLOAT32,
                        0);
        assertEquals(0.5, made.max().getFloat(), 1e-6);
        assertEquals(-0.5, made.min().getFloat(), 1e-6);
    }

    /** What a step makes is freed at its end, also what the network leaves lying. */
    @Test
    void memoryIsFlat(NDManager manager) {
        for (Sampler sampler : samplers(LINEAR)) {
            try (NDManager own = manager.newSubManager()) {
                NDArray start = normal(own, 1, 1, 2, 4, 4);
                int before = own.getManagedArrays().size();
                int[] most = {0};
                List<NDArray> seen = new ArrayList<>();
                NDArray made =
                        of(sampler, Prediction.NOISE)
                                .sample(
                                        (z, t) -> {
                                            seen.add(z);
                                            seen.removeIf(NDArray::isReleased);
                                            most[0] = Math.max(most[0], seen.size());
                                            assertFalse(NoGraph.isRecording());
                                            return z.add(z).sub(z).mul(z).div(z);
                                        },
                                        start,
                                        StepNoise.seeded(1));
                assertEquals(1, most[0], "latents of former steps");
                assertEquals(before + 1, own.getManagedArrays().size());
                assertEquals(own, made.getManager());
                assertFalse(start.isReleased());
            }
        }
    }

    @Test
    void progressIsToldAndMayEndIt(NDManager manager) {
        List<String> told = new ArrayList<>();
        Sampling sampling =
                Sampling.builder()
                        .setSampler(ddim(SHORT, 4, 0))
                        .setPrediction(Prediction.DATA)
                        .optProgress(
                                (done, of) -> {
                                    told.add(done + "/" + of);
                                    if (told.size() == 6) {
                                        throw new IllegalStateException("enough");
                                    }
                                })
                        .build();
        Shape shape = new Shape(1, 2);
        sampling.sample((z, t) -> z, manager, shape, DataType.FLOAT32, 0);
        assertEquals(List.of("1/4", "2/4", "3/4", "4/4"), told);
        int before = manager.getManagedArrays().size();
        assertThrows(
                IllegalStateException.class,
                () -> sampling.sample((z, t) -> z, manager, shape, DataType.FLOAT32, 0));
        assertEquals(6, told.size());
        assertEquals(before, manager.getManagedArrays().size(), "nothing is left");
    }

    @Test
    void severalThreadsShareOne(NDManager manager) throws Exception {
        Sampling sampling = of(Ddpm.builder().setSchedule(SHORT).build(), Prediction.DATA);
        SampledNetwork network = gaussian(SHORT, Prediction.DATA, 0, 1);
        Callable<double[]> sample =
                () -> {
                    try (NDManager own = manager.newSubManager()) {
                        return doubles(
                                sampling.sample(
                                        network, own, new Shape(2, 9), DataType.FLOAT32, 7));
                    }
                };
        double[] alone = sample.call();
        ExecutorService threads = Executors.newFixedThreadPool(3);
        try {
            for (Future<double[]> each : threads.invokeAll(List.of(sample, sample, sample))) {
                assertArrayEquals(alone, each.get());
            }
        } finally {
            threads.shutdown();
        }
    }

    /** The time of one picture does not touch another's. */
    @Test
    void timesAreOfTheirOwnPicture(NDManager manager) {
        Noising noising = new Noising(LINEAR);
        NDArray x = normal(manager, 1, 3, 2, 4);
        NDArray noise = normal(manager, 2, 3, 2, 4);
        NDArray all = noising.noised(x, noise, 5, 500, 999);
        NDArray other = noising.noised(x, noise, 5, 0, 999);
        assertSame("first", all.get(0), other.get(0));
        assertSame("last", all.get(2), other.get(2));
        assertNotEquals(all.get(1), other.get(1));
    }

    @Test
    void drawsFollowFromTheirGenerator(NDManager manager) {
        Shape shape = new Shape(64, 3, 5, 5);
        DiffusionDraws one =
                DiffusionDraws.of(
                        new java.util.Random(4), LINEAR, manager, shape, DataType.FLOAT32, 0);
        DiffusionDraws same =
                DiffusionDraws.of(
                        new java.util.Random(4), LINEAR, manager, shape, DataType.FLOAT32, 0);
        assertArrayEquals(one.times(), same.times());
        assertSame("noise", one.noise(), same.noise());
        assertTrue(Arrays.stream(one.times()).max().orElseThrow() > 900);
        assertTrue(Arrays.stream(one.times()).min().orElseThrow() < 100);
        DiffusionDraws offset =
                DiffusionDraws.of(
                        new java.util.Random(4), LINEAR, manager, shape, DataType.FLOAT64, 0.1);
        NDArray common = offset.noise().sub(one.noise().toType(DataType.FLOAT64, false));
        NDArray spread = common.max(new int[] {3}).max(new int[] {2});
        assertClose("of a channel", spread, common.min(new int[] {3}).min(new int[] {2}), 1e-5);
        double[] each = doubles(spread);
        double variance = Arrays.stream(each).map(v -> v * v).average().orElseThrow();
        assertEquals(0.1, Math.sqrt(variance), 0.02);
    }

    @Test
    void lossIsTheMeanOfWeighedErrors(NDManager manager) {
        Noising noising = new Noising(LINEAR);
        NDArray o = normal(manager, 1, 3, 2, 2, 2);
        NDArray target = normal(manager, 2, 3, 2, 2, 2);
        double plain =
                DenoisingLoss.of(noising, Prediction.NOISE).of(o, target, 0, 1, 2).getFloat();
        assertEquals(o.sub(target).square().mean().getFloat(), plain, 1e-6);
        DenoisingLoss weighed = new DenoisingLoss(noising, Prediction.DATA, 5);
        double expected = 0;
        int[] times = {0, 400, 900};
        for (int b = 0; b < 3; b++) {
            double snr = LINEAR.signalToNoise(times[b]);
            double error = o.get(b).sub(target.get(b)).square().mean().getFloat();
            expected += Math.min(snr, 5) * error / 3;
        }
        assertEquals(expected, weighed.of(o, target, times).getFloat(), 1e-5 * expected);
        NoiseSchedule zero = LINEAR.withZeroTerminalSnr();
        for (Prediction p : Prediction.values()) {
            double w = new DenoisingLoss(new Noising(zero), p, 5).weight(999);
            assertTrue(Double.isFinite(w), p + " " + w);
        }
    }
}
