package org.slotwise.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.normal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.OnDevice;
import org.slotwise.unet.Heads;
import org.slotwise.unet.TransformerOptions;
import org.slotwise.unet.UNet;
import org.slotwise.unet.UNetConfiguration;

/** What every block promises, of the decoder; its samplings, and errors. */
@ExtendWith(OnDevice.class)
class LatentDiffusionDecoderTest {

    private static final NoiseSchedule SCHEDULE = NoiseSchedule.linear(20, 0.01, 0.4);

    private static UNet network(int out) {
        return new UNet(
                UNetConfiguration.builder()
                        .setChannels(2, out)
                        .setWidths(4, 4)
                        .setTransformer(TransformerOptions.of(5, Heads.count(2)))
                        .optGroups(2)
                        .build());
    }

    private static LatentDiffusionDecoder decoder() {
        return new LatentDiffusionDecoder(
                network(2),
                DenoisingLoss.of(new Noising(SCHEDULE), Prediction.NOISE),
                new Shape(2, 4, 4));
    }

    private static LatentDiffusionDecoder fresh(NDManager manager, DataType type) {
        LatentDiffusionDecoder decoder = decoder();
        decoder.initialize(manager, type, new Shape(2, 2, 4, 4));
        return decoder;
    }

    private static NDList inputs(NDManager m, DataType type) {
        return new NDList(
                normal(m, 1, type, 2, 2, 4, 4),
                m.create(new long[] {3, 19}),
                normal(m, 2, type, 2, 3, 5));
    }

    @Test
    void keepsTheContract(NDManager manager) {
        new BlockContract(LatentDiffusionDecoderTest::decoder, LatentDiffusionDecoderTest::inputs)
                .check(manager);
    }

    /** In float64 too, and of one network the same samples whichever way it is asked. */
    @Test
    void samplesAreThoseOfItsNetwork(NDManager manager) {
        for (DataType type : new DataType[] {DataType.FLOAT32, DataType.FLOAT64}) {
            LatentDiffusionDecoder decoder = fresh(manager, type);
            ParameterStore store = new ParameterStore(manager, false);
            NDArray slots = normal(manager, 2, type, 2, 3, 5);
            Sampling sampling = decoder.sampling().build();
            NDArray made = decoder.generate(store, slots, sampling, 4);
            assertEquals(new Shape(2, 2, 4, 4), made.getShape());
            NDArray by =
                    sampling.sample(
                            decoder.network(store, slots), manager, made.getShape(), type, 4);
            assertClose("by hand", made, by, 1e-6);
            SampledNetwork same =
                    SampledNetwork.guided(
                            decoder.network(store, slots), decoder.network(store, slots), 3);
            NDArray guided = sampling.sample(same, manager, made.getShape(), type, 4);
            assertClose("guided by itself", made, guided, 1e-4);
        }
    }

    /** The loss is what it says, of the arrays that go into it. */
    @Test
    void lossIsThatOfThePrediction(NDManager manager) {
        LatentDiffusionDecoder decoder = fresh(manager, DataType.FLOAT32);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray clean = normal(manager, 1, 2, 2, 4, 4);
        NDArray noise = normal(manager, 3, 2, 2, 4, 4);
        NDArray slots = normal(manager, 2, 2, 3, 5);
        NDArray noised = decoder.learning().noising().noised(clean, noise, 3, 19);
        NDArray times = manager.create(new long[] {3, 19});
        NDArray predicted = decoder.forward(store, new NDList(noised, times, slots), false).head();
        double expected = predicted.sub(noise).square().mean().getFloat();
        NDArray loss = decoder.loss(store, clean, slots, new DiffusionDraws(noise, 3, 19), false);
        assertEquals(expected, loss.getFloat(), 1e-6 * expected);
    }

    @Test
    void errors(NDManager manager) {
        DenoisingLoss loss = DenoisingLoss.of(new Noising(SCHEDULE), Prediction.NOISE);
        assertRefused(
                "LatentDiffusionDecoder: latents must be (C, h, w), got (2, 4)",
                () -> new LatentDiffusionDecoder(network(2), loss, new Shape(2, 4)));
        assertRefused(
                "LatentDiffusionDecoder: the denoiser must give (1, 2, 4, 4) for such latents, got"
                        + " (1, 4, 4, 4)",
                () -> new LatentDiffusionDecoder(network(4), loss, new Shape(2, 4, 4)));
        LatentDiffusionDecoder decoder = fresh(manager, DataType.FLOAT32);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray clean = normal(manager, 1, 2, 2, 4, 4);
        NDArray slots = normal(manager, 2, 2, 3, 5);
        // Times of a shorter schedule are all there in a longer one, and would be all that it
        // learns.
        DiffusionDraws others =
                DiffusionDraws.of(
                        new Random(0),
                        NoiseSchedule.cosine(10),
                        manager,
                        clean.getShape(),
                        DataType.FLOAT32,
                        0);
        String of10 =
                "LatentDiffusionDecoder: draws must be from a schedule of 20 steps, as the"
                        + " network's, got those from one of 10";
        assertRefused(of10, () -> decoder.loss(store, clean, slots, others, false));
        assertRefused(
                of10, () -> decoder.backward(store, clean, slots, false, others, loss1 -> {}));
        DiffusionDraws draws = new DiffusionDraws(clean, 0, 20);
        assertRefused(
                "Noising: a time must be from 0 to 19, got 20",
                () -> decoder.loss(store, clean, slots, draws, false));
        assertRefused(
                "LatentDiffusionDecoder: slots must be (2, K, D), got (3, 3, 5)",
                () -> decoder.loss(store, clean, normal(manager, 2, 3, 3, 5), draws, false));
        assertRefused(
                "LatentDiffusionDecoder: latents must be (B, 2, 4, 4), got (2, 2, 8, 8)",
                () -> decoder.loss(store, normal(manager, 1, 2, 2, 8, 8), slots, draws, false));
        assertRefused(
                "UNet: slots must be (B, K, 5), got (2, 3, 4)",
                () ->
                        decoder.generate(
                                store, normal(manager, 2, 2, 3, 4), decoder.sampling().build(), 0));
        assertRefused(
                "LatentDiffusionDecoder: expected latents, times and slots, got 2 arrays",
                () -> decoder.forward(store, new NDList(clean, slots), false));
    }
}
