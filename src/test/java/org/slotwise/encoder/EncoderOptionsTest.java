package org.slotwise.encoder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.Initializer;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.decoder.BroadcastArchitecture;
import org.slotwise.decoder.SpatialBroadcastDecoder;
import org.slotwise.layer.LeakyRelu;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;
import org.slotwise.weights.StateDict;

/** The options by which encoders and decoders of others differ from the paper's. */
@ExtendWith(OnDevice.class)
class EncoderOptionsTest {

    private static SlotAttentionEncoder.Builder encoder() {
        return SlotAttentionEncoder.builder()
                .setBackbone(
                        ConvolutionalEncoder.builder()
                                .optChannels(3, 4)
                                .optKernelSize(3)
                                .optNegativeSlope(0.2)
                                .build());
    }

    @Test
    void keepTheContract(NDManager manager) {
        new BlockContract(
                        () ->
                                encoder()
                                        .optJoinedPositions(true)
                                        .optNorm(false)
                                        .optNegativeSlope(0.1)
                                        .build(),
                        (m, type) -> new NDList(Tensors.uniform(m, 3, type, 2, 3, 6, 5)))
                .check(manager);
        new BlockContract(
                        () ->
                                SpatialBroadcastDecoder.builder()
                                        .setSlotDim(4)
                                        .setArchitecture(BroadcastArchitecture.clevr(16))
                                        .optJoinedGrid(true)
                                        .optNegativeSlope(0.1)
                                        .build(),
                        (m, type) -> new NDList(Tensors.uniform(m, 3, type, 2, 3, 4)))
                .isTheSameThroughAStateDict(manager);
        new BlockContract(
                        () -> ContentAndPlaceEncoder.builder().setStride(2).setChannels(3).build(),
                        (m, type) -> new NDList(Tensors.uniform(m, 3, type, 2, 3, 6, 5)))
                .check(manager);
    }

    /** The slope is of what is below zero alone. */
    @Test
    void leakyReluIsAsWritten(NDManager manager) {
        NDArray x = manager.create(new double[] {-2, -0.5, 0, 3});
        assertClose(
                "leaky",
                manager.create(new double[] {-0.02, -0.005, 0, 3}),
                new LeakyRelu(0.01).apply(x),
                1e-15);
        assertClose("relu", manager.create(new double[] {0, 0, 0, 3}), LeakyRelu.NONE.apply(x), 0);
        assertRefused("LeakyRelu: slope must be from 0 to 1, got 1.5", () -> new LeakyRelu(1.5));
    }

    /** With weights of the grid alone, each place is told its own. */
    @Test
    void joinedPlacesAreThoseOfTheGrid(NDManager manager) {
        SpatialBroadcastDecoder decoder =
                SpatialBroadcastDecoder.builder()
                        .setSlotDim(2)
                        .setArchitecture(
                                new BroadcastArchitecture(
                                        3,
                                        5,
                                        List.of(BroadcastArchitecture.Layer.convolution(4, 1))))
                        .optJoinedGrid(true)
                        .build();
        // Red, green, blue and alpha become [p, 1 - p] if the slot is passed over.
        decoder.setInitializer(Initializer.ZEROS, "decoder.0.bias");
        decoder.initialize(manager, DataType.FLOAT32, new Shape(1, 1, 2));
        try (StateDict weights = StateDict.of(decoder)) {
            NDArray w = weights.get("decoder.0.weight");
            assertEquals(new Shape(4, 6, 1, 1), w.getShape());
            // Inputs are the slot's two numbers, then the grid's four.
            w.set(
                    new float[] {
                        0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1
                    });
        }
        NDArray slots = Tensors.uniform(manager, 1, DataType.FLOAT32, 1, 1, 2);
        NDArray made =
                decoder.decode(new ParameterStore(manager, false), slots, false).slotImages();
        for (int y = 0; y < 3; y++) {
            for (int x = 0; x < 5; x++) {
                assertEquals(y / 2f, made.getFloat(0, 0, 0, y, x), 1e-6);
                assertEquals(x / 4f, made.getFloat(0, 0, 1, y, x), 1e-6);
                assertEquals(1 - y / 2f, made.getFloat(0, 0, 2, y, x), 1e-6);
            }
        }
    }

    @Test
    void changeTheResult(NDManager manager) {
        NDArray images = Tensors.normal(manager, 1, 1, 3, 6, 5).toType(DataType.FLOAT32, false);
        NDArray usual = features(manager, encoder(), images);
        assertTrue(apart(usual, features(manager, encoder().optNorm(false), images)) > 1e-4);
        assertTrue(apart(usual, features(manager, encoder().optNegativeSlope(0.5), images)) > 1e-4);
    }

    private static NDArray features(
            NDManager manager, SlotAttentionEncoder.Builder builder, NDArray images) {
        manager.getEngine().setRandomSeed(1);
        SlotAttentionEncoder block = builder.build();
        block.initialize(manager, DataType.FLOAT32, images.getShape());
        return block.extract(new ParameterStore(manager, false), images, false).features();
    }

    private static double apart(NDArray a, NDArray b) {
        return Tensors.largest(a.sub(b));
    }
}
