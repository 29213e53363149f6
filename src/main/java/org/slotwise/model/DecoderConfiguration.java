package org.slotwise.model;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slotwise.decoder.BroadcastArchitecture;
import org.slotwise.internal.Check;

/**
 * How the decoder of an {@link ObjectDiscovery} is made, and with it what is to be made again: the
 * image, or the encoder's features. Each kind is a record, whose numbers mean what the options of
 * the block do.
 */
public sealed interface DecoderConfiguration {

    /**
     * Images by {@code SpatialBroadcastDecoder}.
     *
     * @param architecture grid and layers
     * @param negativeSlope of all activations below zero: 0 for ReLUs
     * @param joinedGrid whether the grid is joined to the slot, rather than embedded and added
     */
    record SpatialBroadcast(
            BroadcastArchitecture architecture, double negativeSlope, boolean joinedGrid)
            implements DecoderConfiguration {

        /**
         * Creates the description.
         *
         * @param architecture grid and layers
         * @param negativeSlope from 0 to 1
         * @param joinedGrid whether the grid is joined to the slot
         * @throws IllegalArgumentException if the slope is out of its range
         */
        public SpatialBroadcast {
            Check.notNegative(
                    "DecoderConfiguration.SpatialBroadcast", "negativeSlope", negativeSlope);
        }
    }

    /**
     * Images by {@code ImagePatchDecoder}.
     *
     * @param patchSize height and width of a patch
     * @param hidden the size of hidden layers
     * @param hiddenLayers how many follow the first
     * @param frequencies how many frequencies of each coordinate
     */
    record ImagePatch(int patchSize, int hidden, int hiddenLayers, int frequencies)
            implements DecoderConfiguration {}

    /**
     * Images by {@code ShapeAndColourDecoder}, for slots with positions.
     *
     * @param hidden the size of hidden layers
     * @param frequencies how many frequencies of each relative coordinate
     * @param trainingStride every how many rows and columns pixels are made in training, from a
     *     place that is drawn anew at each step; 1 for all pixels
     */
    record ShapeAndColour(int hidden, int frequencies, int trainingStride)
            implements DecoderConfiguration {

        /**
         * Creates the description.
         *
         * @param hidden at least 1
         * @param frequencies at least 0
         * @param trainingStride at least 1
         * @throws IllegalArgumentException if the stride is below 1
         */
        public ShapeAndColour {
            Check.atLeast(
                    "DecoderConfiguration.ShapeAndColour", "trainingStride", trainingStride, 1);
        }
    }

    /**
     * Features by {@code PatchDecoder}, the perceptron of DINOSAUR.
     *
     * @param hidden the sizes of hidden layers
     * @param inputDim the size to which slots are brought first; null to take them as they are
     */
    record Features(List<Integer> hidden, @Nullable Integer inputDim)
            implements DecoderConfiguration {

        /**
         * Creates the description.
         *
         * @param hidden each at least 1; none for a linear decoder
         * @param inputDim at least 1, or null
         */
        public Features {
            hidden = List.copyOf(hidden);
        }
    }

    /**
     * Features by {@code AutoregressivePatchDecoder}, the transformer of DINOSAUR and SLATE.
     *
     * @param dim the transformer's size
     * @param heads how many heads
     * @param layers how many layers
     * @param hidden the hidden size of each layer's perceptron
     * @param inputTransform whether features are projected and normalised first
     * @param slotTransform whether slots are projected before they are normalised
     * @param positions whether patches have learnt embeddings
     */
    record Autoregressive(
            int dim,
            int heads,
            int layers,
            int hidden,
            boolean inputTransform,
            boolean slotTransform,
            boolean positions)
            implements DecoderConfiguration {}

    /**
     * Features without any place: each slot is one appearance, and the masks are what the slots
     * attend to.
     *
     * <pre>{@code
     * reconstruction = sum over slots of  attributions * (V slot + b)
     * }</pre>
     */
    record Appearance() implements DecoderConfiguration {}

    /**
     * Images by {@code AttendedColourDecoder}: each slot is one colour, and the masks are what the
     * slots attend to.
     *
     * @param patchSize height and width of the pixels that a feature stands for: the encoder's
     *     stride
     */
    record AttendedColour(int patchSize) implements DecoderConfiguration {}

    /**
     * Images by {@code AttendedRampDecoder}: each slot is a colour that changes evenly across the
     * picture, and the masks are what the slots attend to.
     *
     * @param patchSize height and width of the pixels that a feature stands for: the encoder's
     *     stride
     */
    record AttendedRamp(int patchSize) implements DecoderConfiguration {}
}
