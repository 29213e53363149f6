package org.slotwise.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.normal;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.OnDevice;
import org.slotwise.unet.Heads;
import org.slotwise.unet.TransformerOptions;
import org.slotwise.unet.UNet;
import org.slotwise.unet.UNetConfiguration;

/** A sampling must be of the schedule and the prediction that a network learnt with. */
@ExtendWith(OnDevice.class)
class SamplingFitTest {

    private static final NoiseSchedule LINEAR = NoiseSchedule.linear(1000, 1e-4, 0.02);
    private static final NoiseSchedule COSINE = NoiseSchedule.cosine(1000);
    private static final Shape LATENTS = new Shape(2, 4, 4);

    private static DenoisingLoss learning(NoiseSchedule schedule, Prediction prediction) {
        return DenoisingLoss.of(new Noising(schedule), prediction);
    }

    private static LatentDiffusionDecoder decoder(NoiseSchedule schedule, Prediction prediction) {
        UNet unet =
                new UNet(
                        UNetConfiguration.builder()
                                .setChannels(2, 2)
                                .setWidths(4, 4)
                                .setTransformer(TransformerOptions.of(5, Heads.count(2)))
                                .optGroups(2)
                                .build());
        return new LatentDiffusionDecoder(unet, learning(schedule, prediction), LATENTS);
    }

    private static Ddim ddim(NoiseSchedule schedule) {
        return Ddim.builder().setSchedule(schedule).optTimes(TimeChoice.leading(5)).build();
    }

    private static Sampling sampling(NoiseSchedule schedule, Prediction prediction) {
        return Sampling.builder().setSampler(ddim(schedule)).setPrediction(prediction).build();
    }

    /** As many steps are not enough: the shares of signal must be those of the training. */
    @Test
    void anotherScheduleIsRefused(NDManager manager) {
        LatentDiffusionDecoder decoder = decoder(COSINE, Prediction.VELOCITY);
        decoder.initialize(manager, DataType.FLOAT32, new Shape(1).addAll(LATENTS));
        ParameterStore store = new ParameterStore(manager, false);
        NDArray slots = normal(manager, 2, 1, 3, 5);
        Sampling linear = sampling(LINEAR, Prediction.VELOCITY);
        String message =
                " must be for the schedule that the network learnt with, whose alphaBar(408) is"
                        + " 0.63402, got one of 0.18129";
        int t = largestDifference();
        assertEquals(408, t, "the time with the largest difference");
        assertRefused(
                "LatentDiffusionDecoder: the sampling" + message,
                () -> decoder.generate(store, slots, linear, 0));
        SampledNetwork network = decoder.network(store, slots);
        assertEquals(decoder.learning(), network.learning());
        Shape shape = new Shape(1).addAll(LATENTS);
        assertRefused(
                "Sampling: the sampling" + message,
                () -> linear.sample(network, manager, shape, DataType.FLOAT32, 0));
        Sampling ofNoise = sampling(COSINE, Prediction.NOISE);
        assertRefused(
                "Sampling: the sampling must be for a network that predicts VELOCITY, got NOISE",
                () -> ofNoise.sample(network, manager, shape, DataType.FLOAT32, 0));
        // With guidance too, and two networks must be alike.
        SampledNetwork guided = SampledNetwork.guided(network, (z, time) -> z, 2);
        assertRefused(
                "Sampling: the sampling" + message,
                () -> linear.sample(guided, manager, shape, DataType.FLOAT32, 0));
        SampledNetwork other =
                SampledNetwork.learnt(
                        learning(LINEAR, Prediction.VELOCITY), (z, time) -> z.zerosLike());
        assertRefused(
                "SampledNetwork: the other network" + message,
                () -> SampledNetwork.guided(network, other, 2));
        assertRefused(
                "SampledNetwork: both networks must predict VELOCITY, got DATA",
                () ->
                        SampledNetwork.guided(
                                other,
                                SampledNetwork.learnt(
                                        learning(LINEAR, Prediction.DATA), (z, time) -> z),
                                2));
        Sampling own = sampling(COSINE, Prediction.VELOCITY);
        assertEquals(shape, decoder.generate(store, slots, own, 0).getShape());
    }

    private static int largestDifference() {
        int at = 0;
        for (int t = 0; t < 1000; t++) {
            if (Math.abs(LINEAR.alphaBar(t) - COSINE.alphaBar(t))
                    > Math.abs(LINEAR.alphaBar(at) - COSINE.alphaBar(at))) {
                at = t;
            }
        }
        return at;
    }

    /** A network that says what it learnt is asked as it was before. */
    @Test
    void whatIsLearntChangesNoPrediction(NDManager manager) {
        int[] asked = {0};
        SampledNetwork plain =
                new SampledNetwork() {
                    @Override
                    public NDArray predict(NDArray latents, NDArray times) {
                        return latents;
                    }

                    @Override
                    public NDArray predict(NDArray latents, int time) {
                        asked[0]++;
                        return latents.add(latents);
                    }
                };
        DenoisingLoss learning = learning(LINEAR, Prediction.DATA);
        SampledNetwork told = SampledNetwork.learnt(learning, plain);
        NDArray z = normal(manager, 1, 1, 3);
        assertSame(z, told.predict(z, manager.zeros(new Shape(1), DataType.INT64)));
        assertEquals(z.add(z), told.predict(z, 4));
        assertEquals(1, asked[0]);
        assertSame(learning, told.learning());
    }

    /** Betas that came through float32 are the same schedule; any other number is not. */
    @Test
    void roundingIsNoDifference() {
        for (NoiseSchedule schedule : new NoiseSchedule[] {LINEAR, COSINE}) {
            double[] rounded = new double[1000];
            double[] products = new double[1000];
            float product = 1;
            for (int t = 0; t < 1000; t++) {
                rounded[t] = (float) schedule.beta(t);
                product *= 1 - (float) schedule.beta(t);
                products[t] = product;
            }
            assertEquals(-1, schedule.differsAt(NoiseSchedule.of(rounded)));
            assertEquals(-1, schedule.differsAt(NoiseSchedule.ofAlphaBars(products)));
            assertTrue(schedule.differsAt(schedule.withZeroTerminalSnr()) >= 0);
        }
        assertTrue(LINEAR.differsAt(NoiseSchedule.linear(1000, 1.01e-4, 0.02)) >= 0);
        assertTrue(LINEAR.differsAt(NoiseSchedule.scaledLinear(1000, 1e-4, 0.02)) >= 0);
    }

    /** Saved parameters say of which schedule they are; those of before said its steps alone. */
    @Test
    void parametersAreOfTheirSchedule(NDManager manager) throws Exception {
        LatentDiffusionDecoder learnt = decoder(LINEAR, Prediction.NOISE);
        learnt.initialize(manager, DataType.FLOAT32, new Shape(1).addAll(LATENTS));
        byte[] saved = saved(learnt);
        decoder(NoiseSchedule.linear(1000, 1e-4, 0.02), Prediction.NOISE)
                .loadParameters(manager, in(saved));
        MalformedModelException other =
                assertThrows(
                        MalformedModelException.class,
                        () -> decoder(COSINE, Prediction.NOISE).loadParameters(manager, in(saved)));
        assertTrue(
                other.getMessage().contains("schedule=1000 steps, alphaBar 0.9999 0.5"),
                () -> String.valueOf(other.getMessage()));
        String before = "LatentDiffusionDecoder(latents=(2, 4, 4), steps=1000, prediction=NOISE)";
        String today = before.replace(")", "").replace("(2, 4, 4", "(2, 4, 4)") + ", schedule=";
        byte[] former = renamed(saved, today, before);
        decoder(COSINE, Prediction.NOISE).loadParameters(manager, in(former));
        assertThrows(
                MalformedModelException.class,
                () -> decoder(LINEAR, Prediction.DATA).loadParameters(manager, in(former)));
    }

    private static DataInputStream in(byte[] bytes) {
        return new DataInputStream(new ByteArrayInputStream(bytes));
    }

    private static byte[] saved(LatentDiffusionDecoder decoder) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        decoder.saveParameters(new DataOutputStream(bytes));
        return bytes.toByteArray();
    }

    /** The same file with another text in place of the one that begins so. */
    private static byte[] renamed(byte[] file, String begins, String text) throws IOException {
        String all = new String(file, StandardCharsets.ISO_8859_1);
        int at = all.indexOf(begins);
        int length = (file[at - 2] & 0xff) << 8 | (file[at - 1] & 0xff);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write(file, 0, at - 2);
        new DataOutputStream(bytes).writeUTF(text);
        bytes.write(file, at + length, file.length - at - length);
        return bytes.toByteArray();
    }

    private static Sampling.Builder ofNoise(NoiseSchedule schedule, TimeChoice times) {
        return Sampling.builder()
                .setPrediction(Prediction.NOISE)
                .setSampler(Ddim.builder().setSchedule(schedule).optTimes(times).build());
    }

    /** At the cosine's last time alphaBar is 2.4e-9: what is left of errors is all that is seen. */
    @Test
    void noiseIsNotPredictedWhereNothingElseIs(NDManager manager) {
        String message =
                "Sampling: at time 999 errors of predicted noise are multiplied by 20291, 1 /"
                        + " sqrt(alphaBar), more than 1000: begin at a lower time, as"
                        + " TimeChoice.leading(n) does, keep estimates in their bounds by"
                        + " optChange, or let a network predict VELOCITY";
        assertEquals(20291, 1 / Math.sqrt(COSINE.alphaBar(999)), 0.5);
        assertRefused(message, () -> ofNoise(COSINE, TimeChoice.trailing(50)).build());
        assertRefused(message, () -> ofNoise(COSINE, TimeChoice.all()).build());
        ofNoise(COSINE, TimeChoice.leading(50)).build();
        ofNoise(LINEAR, TimeChoice.trailing(50)).build();
        // Estimates within bounds are what diffusers samples with, by default.
        Sampling clipped =
                ofNoise(COSINE, TimeChoice.trailing(50))
                        .optChange(EstimateChange.clipped(1))
                        .build();
        NDArray made =
                clipped.sample(
                        (z, t) -> z.mul(0.9f), manager, new Shape(2, 30), DataType.FLOAT32, 0);
        assertTrue(made.abs().max().getFloat() <= 1);
        for (Prediction p : new Prediction[] {Prediction.VELOCITY, Prediction.DATA}) {
            ofNoise(COSINE, TimeChoice.all()).setPrediction(p).build();
        }
    }

    /** What a decoder samples by, if nothing is said, is never refused. */
    @Test
    void theDefaultBeginsWhereEstimatesAre() {
        for (int steps : new int[] {1, 2, 10, 50, 60, 100, 1000, 4000}) {
            NoiseSchedule schedule = NoiseSchedule.cosine(steps);
            Sampling sampling = decoder(schedule, Prediction.NOISE).sampling().build();
            int[] times = sampling.sampler().times();
            assertTrue(1 / Math.sqrt(schedule.alphaBar(times[0])) <= 1000);
            assertTrue(times.length >= Math.min(50, Math.max(1, steps - 1)));
        }
        int[] trailing = decoder(LINEAR, Prediction.NOISE).sampling().build().sampler().times();
        assertArrayEquals(TimestepSpacing.TRAILING.times(1000, 50, 0), trailing);
        int[] velocity = decoder(COSINE, Prediction.VELOCITY).sampling().build().sampler().times();
        assertArrayEquals(trailing, velocity);
        int[] leading = decoder(COSINE, Prediction.NOISE).sampling().build().sampler().times();
        assertArrayEquals(TimestepSpacing.LEADING.times(1000, 50, 0), leading);
    }

    /** What a sampler is asked grows with its steps, not with their square. */
    @Test
    void stepsAreComputedAFewTimesEach(NDManager manager) {
        int[] asked = {0};
        Ddpm ddpm = Ddpm.builder().setSchedule(LINEAR).build();
        Sampler counting =
                new Sampler() {
                    @Override
                    public NoiseSchedule schedule() {
                        return LINEAR;
                    }

                    @Override
                    public int[] times() {
                        return ddpm.times();
                    }

                    @Override
                    public SamplingStep step(int index) {
                        asked[0]++;
                        return ddpm.step(index);
                    }
                };
        Sampling.builder()
                .setSampler(counting)
                .setPrediction(Prediction.NOISE)
                .build()
                .sample((z, t) -> z, manager, new Shape(1, 1), DataType.FLOAT32, 0);
        assertTrue(asked[0] <= 5 * 1000, () -> asked[0] + " for 1000 steps");
    }

    /** Of few times and of many. */
    @Test
    void trailingTimesReachTheLowest() {
        TimestepSpacing trailing = TimestepSpacing.TRAILING;
        assertArrayEquals(new int[] {9, 7, 6, 4, 2, 1}, trailing.solverTimes(10, 6, 0));
        assertArrayEquals(new int[] {9, 8, 6, 5, 3, 2, 0}, trailing.solverTimes(10, 7, 0));
        int[] all = new int[10];
        Arrays.setAll(all, i -> 9 - i);
        assertArrayEquals(all, trailing.solverTimes(10, 10, 0));
        for (int n = 1; n < 10; n++) {
            for (TimestepSpacing spacing :
                    new TimestepSpacing[] {TimestepSpacing.LEADING, TimestepSpacing.LINSPACE}) {
                assertTrue(spacing.solverTimes(10, n, 0)[n - 1] > 0, spacing + " " + n);
            }
        }
        assertRefused(
                "TimestepSpacing: the number of steps must be from 1 to 10, got 11",
                () -> trailing.solverTimes(10, 11, 0));
        DpmSolver solver =
                DpmSolver.builder()
                        .setSchedule(NoiseSchedule.linear(10, 0.01, 0.4))
                        .optTimes(new TimeChoice(0, TimestepSpacing.TRAILING, 0))
                        .build();
        assertArrayEquals(all, solver.times());
    }
}
