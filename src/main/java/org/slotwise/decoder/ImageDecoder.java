package org.slotwise.decoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import org.jspecify.annotations.Nullable;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.internal.Pass;

/** What decoders have in common that make an image and a mask of each slot alone. */
public abstract class ImageDecoder extends DecoderBlock implements SlotDecoder {

    final int height;
    final int width;

    ImageDecoder(Builder<?> builder, int height, int width) {
        super(builder);
        this.height = height;
        this.width = width;
    }

    /** Reconstruction, slot images and masks of slots (B, K, D). */
    abstract NDList decode(Pass pass, NDArray slots);

    /** {@inheritDoc} */
    @Override
    public final SlotDecoding decode(
            ParameterStore parameterStore, NDArray slots, boolean training) {
        checked(slots);
        return SlotDecoding.from(
                compute(parameterStore, slots, training, pass -> decode(pass, slots)));
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameterStore,
            NDList inputs,
            boolean training,
            @Nullable PairList<String, Object> params) {
        NDArray slots = PerceptualGroupingOutput.from(inputs).objects();
        return decode(parameterStore, slots, training).toNDList();
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        return AlphaComposition.shapes(checked(inputShapes[0]), height, width);
    }
}
