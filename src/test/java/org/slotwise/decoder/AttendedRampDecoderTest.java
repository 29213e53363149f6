package org.slotwise.decoder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.doubles;
import static org.slotwise.testing.Tensors.normal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;

@ExtendWith(OnDevice.class)
class AttendedRampDecoderTest {

    private static AttendedRampDecoder.Builder decoder() {
        return AttendedRampDecoder.builder().setSlotDim(5).setImageSize(4, 6);
    }

    private static PerceptualGroupingOutput slots(NDManager manager, DataType type, int features) {
        return new PerceptualGroupingOutput(
                normal(manager, 1, type, 2, 3, 5),
                normal(manager, 2, type, 2, 3, features).softmax(1),
                null);
    }

    private static SlotDecoding infer(
            NDManager manager, AttendedRampDecoder block, PerceptualGroupingOutput slots) {
        block.initialize(manager, slots.objects().getDataType(), slots.objects().getShape());
        return block.decode(new ParameterStore(manager, false), slots, false);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void eachPixelIsTheMixtureOfTheRamps(int patch, NDManager manager) {
        AttendedRampDecoder block = decoder().optPatchSize(patch).build();
        int columns = 6 / patch;
        int rows = 4 / patch;
        int features = rows * columns;
        PerceptualGroupingOutput slots = slots(manager, DataType.FLOAT64, features);
        infer(manager, block, slots);
        NDArray slope = ReferenceCase.parameters(block).get("slope.weight");
        double[] slopes = doubles(normal(manager, 5, DataType.FLOAT64, 6, 5));
        slope.set(slopes);
        SlotDecoding out = block.decode(new ParameterStore(manager, false), slots, false);
        double[] weight = doubles(ReferenceCase.parameters(block).get("colour.weight"));
        double[] bias = doubles(ReferenceCase.parameters(block).get("colour.bias"));
        double[] objects = doubles(slots.objects());
        double[] share = doubles(slots.attributions());
        double[] made = doubles(out.reconstruction());
        double[] images = doubles(out.slotImages());
        double[] expected = new double[made.length];
        for (int slot = 0; slot < 6; slot++) {
            double total = 0;
            double middleY = 0;
            double middleX = 0;
            for (int i = 0; i < features; i++) {
                double m = share[slot * features + i];
                total += m;
                int row = i / columns;
                middleY += m * row / (rows - 1.0);
                middleX += m * (i % columns) / (columns - 1.0);
            }
            for (int p = 0; p < 24; p++) {
                int y = p / 6 / patch;
                int x = p % 6 / patch;
                for (int c = 0; c < 3; c++) {
                    double colour = bias[c];
                    for (int d = 0; d < 5; d++) {
                        double o = objects[5 * slot + d];
                        colour += weight[5 * c + d] * o;
                        colour += slopes[5 * c + d] * o * (y / (rows - 1.0) - middleY / total);
                        colour +=
                                slopes[5 * (3 + c) + d]
                                        * o
                                        * (x / (columns - 1.0) - middleX / total);
                    }
                    assertEquals(colour, images[(slot * 3 + c) * 24 + p], 1e-9);
                    expected[(slot / 3 * 3 + c) * 24 + p] +=
                            colour * share[slot * features + y * columns + x];
                }
            }
        }
        for (int i = 0; i < made.length; i++) {
            assertEquals(expected[i], made[i], 1e-9);
        }
    }

    @Test
    void beginsWithoutSlopes(NDManager manager) {
        PerceptualGroupingOutput slots = slots(manager, DataType.FLOAT32, 24);
        NDArray images = infer(manager, decoder().build(), slots).slotImages();
        assertClose("flat", images.get(":, :, :, :1, :1"), images.get(":, :, :, 3:, 5:"), 1e-6);
    }

    @Test
    void keepsTheContract(NDManager manager) {
        new BlockContract(
                        () -> decoder().optPatchSize(2).build(),
                        (m, type) -> slots(m, type, 6).toNDList())
                .check(manager);
    }

    @Test
    void theOrderOfSlotsMeansNothing(NDManager manager) {
        PerceptualGroupingOutput slots = slots(manager, DataType.FLOAT32, 24);
        AttendedRampDecoder block = decoder().build();
        SlotDecoding out = infer(manager, block, slots);
        SlotDecoding flipped =
                block.decode(
                        new ParameterStore(manager, false),
                        new PerceptualGroupingOutput(
                                slots.objects().flip(1), slots.attributions().flip(1), null),
                        false);
        assertClose("reconstruction", out.reconstruction(), flipped.reconstruction(), 1e-6);
        assertClose("masks", out.masks(), flipped.masks().flip(1), 0);
    }

    @Test
    void refusesWhatDoesNotFit(NDManager manager) {
        String who = "AttendedRampDecoder: ";
        assertRefused(
                who + "imageSize must be multiples of 4, got 4 by 6",
                () -> decoder().optPatchSize(4).build());
        assertRefused(
                who + "patchSize must be at least 1, got 0",
                () -> decoder().optPatchSize(0).build());
        assertRefused(
                who + "slotDim must be at least 1, got 0", () -> decoder().setSlotDim(0).build());
        AttendedRampDecoder block = decoder().optPatchSize(2).build();
        infer(manager, block, slots(manager, DataType.FLOAT32, 6));
        ParameterStore store = new ParameterStore(manager, false);
        NDArray objects = normal(manager, 1, 2, 3, 5);
        assertRefused(
                who + "attributions must be (2, 3, 6), got (2, 3, 7)",
                () ->
                        block.decode(
                                store,
                                new PerceptualGroupingOutput(
                                        objects, manager.zeros(new Shape(2, 3, 7)), null),
                                false));
        assertRefused(
                who + "slots must be (B, K, 5), got (2, 3, 4)",
                () ->
                        block.forward(
                                store,
                                new NDList(
                                        manager.zeros(new Shape(2, 3, 4)),
                                        manager.zeros(new Shape(2, 3, 6))),
                                false));
    }
}
