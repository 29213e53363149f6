package org.slotwise.encoder;

import ai.djl.ndarray.NDList;
import ai.djl.training.ParameterStore;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.Inputs;

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
    protected NDList outputs(ParameterStore parameterStore, NDList inputs, boolean training) {
        return extract(parameterStore, Inputs.only(who(), FeatureMap.IMAGES, inputs), training)
                .toNDList();
    }
}
