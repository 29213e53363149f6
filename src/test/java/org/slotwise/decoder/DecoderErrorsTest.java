package org.slotwise.decoder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.SavedParameters.refusal;
import static org.slotwise.testing.Tensors.normal;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.decoder.BroadcastArchitecture.Layer;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.FakeArray;
import org.slotwise.testing.OnDevice;

/** Every error that the decoders promise, to the letter. */
@ExtendWith(OnDevice.class)
class DecoderErrorsTest {

    private static SpatialBroadcastDecoder.Builder broadcast() {
        return SpatialBroadcastDecoder.builder()
                .setSlotDim(6)
                .setArchitecture(BroadcastArchitecture.tetrominoes(5));
    }

    private static ImagePatchDecoder.Builder patches() {
        return ImagePatchDecoder.builder().setSlotDim(6).setImageSize(6, 9).setPatchSize(3);
    }

    static List<SlotDecoder> decoders() {
        return List.of(broadcast().build(), patches().build());
    }

    @ParameterizedTest
    @MethodSource("decoders")
    void slotsAreChecked(SlotDecoder decoder, NDManager manager) {
        decoder.initialize(manager, DataType.FLOAT32, new Shape(1, 1, 6));
        String who = decoder.getClass().getSimpleName() + ": slots must be ";
        ParameterStore store = new ParameterStore(manager, false);
        NDArray slots = normal(manager, 1, 2, 3, 6);
        refused(who + "(B, K, 6), got (2, 3, 7)", decoder, store, 2, 3, 7);
        refused(who + "(B, K, 6), got (3, 6)", decoder, store, 3, 6);
        refused(who + "(B, K, 6), each size at least 1, got (0, 3, 6)", decoder, store, 0, 3, 6);
        refused(who + "(B, K, 6), each size at least 1, got (2, 0, 6)", decoder, store, 2, 0, 6);
        assertRefused(
                who + "float32 as the block's parameters, got float64",
                () -> decoder.decode(store, slots.toType(DataType.FLOAT64, false), false));
        assertRefused(
                who + "float32, float64 or float16, got bfloat16",
                () -> decoder.decode(store, FakeArray.ofType(DataType.BFLOAT16, slots), false));
        Device other = Device.of("gpu", 7);
        assertRefused(
                who
                        + "on a device of the parameter store ("
                        + manager.getDevice()
                        + "), got "
                        + other,
                () -> decoder.decode(store, FakeArray.on(other, slots), false));
        assertRefused(
                who + "(B, K, 6), got (1, 2, 5)",
                () -> decoder.getOutputShapes(new Shape[] {new Shape(1, 2, 5)}));
    }

    private static void refused(
            String message, SlotDecoder decoder, ParameterStore store, long... shape) {
        NDArray slots = store.getManager().zeros(new Shape(shape));
        assertRefused(message, () -> decoder.decode(store, slots, false));
    }

    @ParameterizedTest
    @MethodSource("decoders")
    void itMustBeInitialised(SlotDecoder decoder, NDManager manager) {
        NDArray slots = normal(manager, 1, 2, 3, 6);
        assertEquals(
                decoder.getClass().getSimpleName()
                        + ": initialize the block, or load its parameters, before it is used",
                assertThrows(
                                IllegalStateException.class,
                                () ->
                                        decoder.decode(
                                                new ParameterStore(manager, false), slots, false))
                        .getMessage());
    }

    @Test
    void optionsAreChecked() {
        String broadcast = "SpatialBroadcastDecoder: ";
        assertRefused(
                broadcast + "slotDim must be at least 1, got 0",
                () -> broadcast().setSlotDim(0).build());
        assertRefused(
                broadcast + "architecture is missing",
                () -> SpatialBroadcastDecoder.builder().setSlotDim(1).build());

        String patch = "ImagePatchDecoder: ";
        assertRefused(
                patch + "slotDim must be at least 1, got -1",
                () -> patches().setSlotDim(-1).build());
        assertRefused(
                patch + "patchSize must be at least 1, got 0",
                () -> patches().setPatchSize(0).build());
        assertRefused(
                patch + "imageSize must be multiples of 3, got 6 by 10",
                () -> patches().setImageSize(6, 10).build());
        assertRefused(
                patch + "imageSize must be multiples of 3, got 0 by 9",
                () -> patches().setImageSize(0, 9).build());
        assertRefused(
                patch + "hidden must be at least 1, got 0", () -> patches().optHidden(0).build());
        assertRefused(
                patch + "hiddenLayers must be at least 0, got -1",
                () -> patches().optHiddenLayers(-1).build());
        assertRefused(
                patch + "frequencies must be at least 0, got -1",
                () -> patches().optFrequencies(-1).build());
    }

    @Test
    void architecturesAreChecked() {
        String who = "BroadcastArchitecture: ";
        assertRefused(
                who + "the grid must be at least 1 by 1, got 0 by 2",
                () -> new BroadcastArchitecture(0, 2, List.of(Layer.convolution(4, 3))));
        assertRefused(
                who + "the last of the layers must have 4 channels, got []",
                () -> new BroadcastArchitecture(1, 1, List.of()));
        assertRefused(
                who
                        + "the last of the layers must have 4 channels, got"
                        + " [Layer[transposed=false, channels=3, kernel=3, stride=1]]",
                () -> new BroadcastArchitecture(1, 1, List.of(Layer.convolution(3, 3))));
        assertRefused(
                who + "size must be a multiple of 16, got 35",
                () -> BroadcastArchitecture.clevr(35));
        assertRefused(
                who + "the grid must be at least 1 by 1, got 0 by 0",
                () -> BroadcastArchitecture.tetrominoes(0));
        String layer = "BroadcastArchitecture.Layer: ";
        assertRefused(layer + "channels must be at least 1, got 0", () -> Layer.convolution(0, 3));
        assertRefused(
                layer + "kernel must be odd and at least 1, got 4", () -> Layer.convolution(1, 4));
        assertRefused(
                layer + "stride must be at least 1, and 1 in a plain convolution, got 0",
                () -> Layer.transposed(1, 3, 0));
        assertRefused(
                layer + "stride must be at least 1, and 1 in a plain convolution, got 2",
                () -> new Layer(false, 1, 3, 2));
    }

    @Test
    void decodingsHaveThreeParts(NDManager manager) {
        NDArray array = normal(manager, 1, 1, 1);
        assertRefused(
                "SlotDecoding: expected reconstruction, slot_images and masks, got 2 arrays",
                () -> SlotDecoding.from(new NDList(array, array)));
        assertThrows(IllegalArgumentException.class, () -> new SlotDecoding(null, array, array));
        assertThrows(IllegalArgumentException.class, () -> new SlotDecoding(array, null, array));
        assertThrows(IllegalArgumentException.class, () -> new SlotDecoding(array, array, null));
    }

    @Test
    void parametersOfOtherOptionsAreRefused(NDManager manager) {
        refusedAfter(
                manager,
                broadcast().build(),
                broadcast().setArchitecture(BroadcastArchitecture.tetrominoes(6)).build());
        refusedAfter(manager, patches().build(), patches().setImageSize(9, 6).build());
    }

    private static void refusedAfter(NDManager manager, SlotDecoder saved, SlotDecoder other) {
        saved.initialize(manager, DataType.FLOAT32, new Shape(1, 1, 6));
        byte[] bytes = BlockContract.save(saved);
        String message = refusal(bytes, other, manager);
        String who = saved.getClass().getSimpleName();
        assertEquals(0, message.indexOf(who + ": the block is " + who + "(slotDim=6, "), message);
    }
}
