package org.slotwise.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.normal;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slotwise.testing.Garbage;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;
import org.slotwise.unet.BranchNormConfiguration;
import org.slotwise.unet.BranchNormUNet;
import org.slotwise.unet.Denoiser;
import org.slotwise.unet.Heads;
import org.slotwise.unet.TransformerOptions;
import org.slotwise.unet.UNet;
import org.slotwise.unet.UNetConfiguration;
import org.slotwise.weights.StateDict;

/** A batch that goes back group by group has the gradients of the batch. */
@ExtendWith(OnDevice.class)
class PictureGroupsTest {

    private static final NoiseSchedule SCHEDULE = NoiseSchedule.cosine(20);

    /** One step: what is learnt gets gradients, slots too where they are asked to. */
    @FunctionalInterface
    private interface Step {
        NDArray back(NDArray clean, NDArray slots, DiffusionDraws draws, Consumer<NDArray> to);
    }

    private static UNet unet(int... widths) {
        return new UNet(
                UNetConfiguration.builder()
                        .setChannels(2, 2)
                        .setWidths(widths)
                        .setTransformer(TransformerOptions.of(5, Heads.count(2)))
                        .optGroups(2)
                        .build());
    }

    private static LatentDiffusionDecoder decoder(
            NDManager manager, Denoiser denoiser, DenoisingLoss loss, int side) {
        manager.getEngine().setRandomSeed(1);
        LatentDiffusionDecoder decoder =
                new LatentDiffusionDecoder(denoiser, loss, new Shape(2, side, side));
        decoder.initialize(manager, DataType.FLOAT32, new Shape(1, 2, side, side));
        return decoder;
    }

    private static LatentDiffusionDecoder ofNoise(NDManager manager, Denoiser denoiser) {
        DenoisingLoss loss = DenoisingLoss.of(new Noising(SCHEDULE), Prediction.NOISE);
        return decoder(manager, denoiser, loss, 4);
    }

    private static Map<String, NDArray> gradients(
            LatentDiffusionDecoder decoder,
            NDManager manager,
            int batch,
            List<Double> losses,
            List<Integer> calls,
            Step step) {
        int side = (int) decoder.latentShape().get(1);
        NDArray clean = normal(manager, 1, batch, 2, side, side);
        NDArray noise = normal(manager, 3, batch, 2, side, side);
        NDArray values = normal(manager, 2, batch, 3, 5);
        int[] times = new int[batch];
        for (int i = 0; i < batch; i++) {
            times[i] = (7 * i) % 20;
        }
        Map<String, Parameter> learnt = StateDict.parameters(decoder);
        learnt.values().forEach(p -> p.getArray().setRequiresGradient(true));
        values.setRequiresGradient(true);
        DiffusionDraws draws = new DiffusionDraws(noise, times);
        int before = manager.getManagedArrays().size();
        int count = 0;
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            int[] called = {0};
            NDArray slots = values.square();
            NDArray loss =
                    step.back(
                            clean,
                            slots,
                            draws,
                            part -> {
                                called[0]++;
                                Garbage.collect();
                                collector.backward(part);
                            });
            // A collector leaves an array beside what it is given to go back from.
            int more = losses.isEmpty() ? 3 : 2;
            assertEquals(before + more, manager.getManagedArrays().size(), "arrays left behind");
            losses.add((double) loss.getFloat());
            count = called[0];
            slots.close();
            loss.close();
        }
        calls.add(count);
        Map<String, NDArray> gradients = new TreeMap<>();
        learnt.forEach((name, p) -> gradients.put(name, taken(p.getArray())));
        gradients.put("slots", taken(values));
        return gradients;
    }

    /** A copy of a gradient, which is zero then. */
    private static NDArray taken(NDArray value) {
        try (NDArray gradient = value.getGradient()) {
            NDArray copy = gradient.duplicate();
            gradient.subi(copy);
            return copy;
        }
    }

    private static void assertSame(Map<String, NDArray> expected, Map<String, NDArray> actual) {
        double largest = expected.values().stream().mapToDouble(Tensors::largest).max().orElse(0);
        expected.forEach((name, g) -> assertClose(name, g, actual.get(name), 1e-5, largest));
    }

    private static Step atOnce(LatentDiffusionDecoder decoder, ParameterStore store) {
        return (clean, slots, draws, back) -> {
            NDArray value = decoder.loss(store, clean, slots, draws, true);
            back.accept(value);
            return value;
        };
    }

    @ParameterizedTest
    @CsvSource({"5, 2, false", "6, 3, true", "3, 3, false", "4, 1, true"})
    void gradientsAreThoseOfTheBatch(int batch, int groups, boolean weighted, NDManager manager) {
        Noising noising = new Noising(SCHEDULE);
        DenoisingLoss loss =
                weighted
                        ? new DenoisingLoss(noising, Prediction.VELOCITY, 5)
                        : DenoisingLoss.of(noising, Prediction.NOISE);
        LatentDiffusionDecoder decoder = decoder(manager, unet(4, 6), loss, 4);
        ParameterStore store = new ParameterStore(manager, false);
        List<Double> losses = new ArrayList<>();
        List<Integer> calls = new ArrayList<>();
        Map<String, NDArray> whole =
                gradients(decoder, manager, batch, losses, calls, atOnce(decoder, store));
        Map<String, NDArray> parts =
                gradients(
                        decoder,
                        manager,
                        batch,
                        losses,
                        calls,
                        (z, s, draws, back) ->
                                decoder.backward(store, z, s, true, draws, groups, back));
        assertEquals(losses.get(0), losses.get(1), 1e-5 * losses.get(0));
        assertEquals(List.of(1, groups), calls);
        assertSame(whole, parts);
    }

    /** As in the accumulation of gradients over steps, or with a loss scaled for small floats. */
    @ParameterizedTest
    @CsvSource({"1", "2", "3"})
    void aMultipleOfTheLossGivesThatMultipleOfAllGradients(int groups, NDManager manager) {
        LatentDiffusionDecoder decoder = ofNoise(manager, unet(4, 6));
        ParameterStore store = new ParameterStore(manager, false);
        NDArray eight = manager.create(8f);
        List<Double> losses = new ArrayList<>();
        List<Integer> calls = new ArrayList<>();
        Map<String, NDArray> whole =
                gradients(decoder, manager, 6, losses, calls, atOnce(decoder, store));
        whole.replaceAll((name, gradient) -> gradient.mul(eight));
        Map<String, NDArray> parts =
                gradients(
                        decoder,
                        manager,
                        6,
                        losses,
                        calls,
                        (z, s, draws, back) ->
                                decoder.backward(
                                        store,
                                        z,
                                        s,
                                        true,
                                        draws,
                                        groups,
                                        part -> {
                                            try (NDArray more = part.mul(eight)) {
                                                back.accept(more);
                                            }
                                        }));
        assertEquals(losses.get(0), losses.get(1), 1e-5 * losses.get(0));
        assertSame(whole, parts);
    }

    /** Nothing has gone back when a time of a later group is refused. */
    @Test
    void whatIsWrongIsSaidBeforeTheFirstGroup(NDManager manager) {
        LatentDiffusionDecoder decoder = ofNoise(manager, unet(4, 6));
        ParameterStore store = new ParameterStore(manager, false);
        NDArray z = normal(manager, 1, 4, 2, 4, 4);
        NDArray s = normal(manager, 2, 4, 3, 5);
        DiffusionDraws draws = new DiffusionDraws(z, 1, 2, 3, 20);
        int[] called = {0};
        assertThrows(
                IllegalArgumentException.class,
                () -> decoder.backward(store, z, s, false, draws, 2, part -> called[0]++));
        assertEquals(0, called[0]);
    }

    /** What is told is the shape that the caller gave, and not that of a group. */
    @ParameterizedTest
    @CsvSource({"1", "2"})
    void slotsOfAWrongSizeAreToldAsTheyCame(int groups, NDManager manager) {
        LatentDiffusionDecoder decoder = ofNoise(manager, unet(4, 6));
        ParameterStore store = new ParameterStore(manager, false);
        NDArray z = normal(manager, 1, 4, 2, 4, 4);
        NDArray s = normal(manager, 2, 4, 3, 6);
        DiffusionDraws draws = new DiffusionDraws(z, 1, 2, 3, 4);
        IllegalArgumentException e =
                assertThrows(
                        IllegalArgumentException.class,
                        () -> decoder.backward(store, z, s, false, draws, groups, part -> {}));
        assertTrue(
                e.getMessage().endsWith("slots must be (4, K, 5), got (4, 3, 6)"), e.getMessage());
    }

    /** Slots that come from nowhere, and a way back that goes nowhere. */
    @ParameterizedTest
    @CsvSource({"1", "2"})
    void nothingToGoBackTo(int groups, NDManager manager) {
        LatentDiffusionDecoder decoder = ofNoise(manager, unet(4, 6));
        ParameterStore store = new ParameterStore(manager, false);
        NDArray z = normal(manager, 1, 4, 2, 4, 4);
        NDArray s = normal(manager, 2, 4, 3, 5);
        DiffusionDraws draws = new DiffusionDraws(z, 1, 2, 3, 4);
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            double some = decoder.backward(store, z, s, true, draws, groups, part -> {}).getFloat();
            double same =
                    decoder.backward(store, z, s, true, draws, groups, collector::backward)
                            .getFloat();
            assertEquals(some, same, 1e-6);
        }
    }

    /** Statistics of the batch are those of the whole batch. */
    @Test
    void networksThatSeeOtherPicturesAreNotSplit(NDManager manager) {
        LatentDiffusionDecoder decoder = ofNoise(manager, new SeesBatch(unet(4, 6)));
        assertFalse(decoder.denoiser().seesPicturesAlone());
        ParameterStore store = new ParameterStore(manager, false);
        List<Double> losses = new ArrayList<>();
        List<Integer> calls = new ArrayList<>();
        Map<String, NDArray> whole =
                gradients(decoder, manager, 3, losses, calls, atOnce(decoder, store));
        Map<String, NDArray> same =
                gradients(
                        decoder,
                        manager,
                        3,
                        losses,
                        calls,
                        (z, s, draws, back) -> decoder.backward(store, z, s, true, draws, back));
        assertEquals(List.of(1, 1), calls);
        assertSame(whole, same);
        NDArray z = normal(manager, 1, 3, 2, 4, 4);
        NDArray s = normal(manager, 2, 3, 3, 5);
        DiffusionDraws draws = new DiffusionDraws(z, 1, 2, 3);
        for (int groups : new int[] {0, 2, 4}) {
            IllegalArgumentException e =
                    assertThrows(
                            IllegalArgumentException.class,
                            () -> decoder.backward(store, z, s, false, draws, groups, x -> {}));
            assertTrue(e.getMessage().contains("groups must be 1"), e.getMessage());
        }
        // The seed's network normalises groups of channels of a picture, and no batch.
        BranchNormConfiguration sizes = BranchNormConfiguration.col775();
        assertEquals(true, new BranchNormUNet(sizes).seesPicturesAlone());
    }

    @Test
    void picturesAloneAreToldAlone(NDManager manager) {
        UNet unet = unet(4, 6);
        unet.initialize(manager, DataType.FLOAT32, new Shape(1, 2, 4, 4));
        ParameterStore store = new ParameterStore(manager, false);
        NDArray z = normal(manager, 1, 3, 2, 4, 4);
        NDArray t = manager.create(new long[] {1, 2, 3});
        NDArray s = normal(manager, 2, 3, 3, 5);
        NDArray all = unet.predict(store, z, t, s, false);
        NDList each = new NDList();
        for (int i = 0; i < 3; i++) {
            String one = i + ":" + (i + 1);
            each.add(unet.predict(store, z.get(one), t.get(one), s.get(one), false));
        }
        assertClose("alone", all, NDArrays.concat(each), 1e-5);
    }
}
