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
class AttendedColourDecoderTest {

    private static AttendedColourDecoder.Builder decoder() {
        return AttendedColourDecoder.builder().setSlotDim(5).setImageSize(4, 6);
    }

    private static PerceptualGroupingOutput slots(NDManager manager, DataType type, int features) {
        return new PerceptualGroupingOutput(
                normal(manager, 1, type, 2, 3, 5),
                normal(manager, 2, type, 2, 3, features).softmax(1),
                null);
    }

    private static SlotDecoding infer(
            NDManager manager, AttendedColourDecoder block, PerceptualGroupingOutput slots) {
        block.initialize(manager, slots.objects().getDataType(), slots.objects().getShape());
        return block.decode(new ParameterStore(manager, false), slots, false);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void eachPixelIsTheMixtureOfTheColours(int patch, NDManager manager) {
        AttendedColourDecoder block = decoder().optPatchSize(patch).build();
        int columns = 6 / patch;
        PerceptualGroupingOutput slots = slots(manager, DataType.FLOAT64, 4 / patch * columns);
        SlotDecoding out = infer(manager, block, slots);
        double[] weight = doubles(ReferenceCase.parameters(block).get("colour.weight"));
        double[] bias = doubles(ReferenceCase.parameters(block).get("colour.bias"));
        double[] objects = doubles(slots.objects());
        double[] share = doubles(slots.attributions());
        double[] made = doubles(out.reconstruction());
        double[] masks = doubles(out.masks());
        double[] images = doubles(out.slotImages());
        int features = 4 / patch * columns;
        for (int b = 0; b < 2; b++) {
            for (int y = 0; y < 4; y++) {
                for (int x = 0; x < 6; x++) {
                    int feature = y / patch * columns + x / patch;
                    for (int c = 0; c < 3; c++) {
                        double expected = 0;
                        for (int k = 0; k < 3; k++) {
                            double colour = bias[c];
                            for (int d = 0; d < 5; d++) {
                                colour += weight[5 * c + d] * objects[5 * (3 * b + k) + d];
                            }
                            double m = share[(3 * b + k) * features + feature];
                            expected += m * colour;
                            assertEquals(m, masks[((3 * b + k) * 4 + y) * 6 + x], 1e-12);
                            int at = (((3 * b + k) * 3 + c) * 4 + y) * 6 + x;
                            assertEquals(colour, images[at], 1e-12);
                        }
                        assertEquals(expected, made[((3 * b + c) * 4 + y) * 6 + x], 1e-12);
                    }
                }
            }
        }
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
        AttendedColourDecoder block = decoder().build();
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
        String who = "AttendedColourDecoder: ";
        assertRefused(
                who + "imageSize must be multiples of 4, got 4 by 6",
                () -> decoder().optPatchSize(4).build());
        assertRefused(
                who + "patchSize must be at least 1, got 0",
                () -> decoder().optPatchSize(0).build());
        assertRefused(
                who + "slotDim must be at least 1, got 0", () -> decoder().setSlotDim(0).build());
        AttendedColourDecoder block = decoder().optPatchSize(2).build();
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
