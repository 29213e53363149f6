package org.slotwise.encoder;

import ai.djl.ndarray.NDList;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.ConfiguredBlock;

/** What every encoder of this package does as a DJL block: images in, features and places out. */
public abstract class EncoderBlock extends ConfiguredBlock implements FeatureExtractor {

    EncoderBlock() {}

    /** {@inheritDoc} */
    @Override
    protected String inputName() {
        return FeatureMap.IMAGES;
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameterStore,
            NDList inputs,
            boolean training,
            @Nullable PairList<String, Object> params) {
        return extract(parameterStore, inputs.singletonOrThrow(), training).toNDList();
    }
}
