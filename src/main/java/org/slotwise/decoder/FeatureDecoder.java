package org.slotwise.decoder;

import ai.djl.ndarray.types.Shape;
import org.slotwise.internal.Check;

/** What decoders have in common that make features of slots: the size of a feature. */
public abstract class FeatureDecoder extends DecoderBlock {

    final int featureDim;

    FeatureDecoder(Builder<?> builder) {
        super(builder);
        featureDim = builder.featureDim;
    }

    /** The shapes of reconstruction and masks for slots (B, K, D) and N features. */
    final Shape[] shapes(Shape slots, long n) {
        return new Shape[] {
            new Shape(slots.get(0), n, featureDim), new Shape(slots.get(0), slots.get(1), n)
        };
    }

    /**
     * Describes what decoders of features have in common.
     *
     * @param <T> the builder of one of them
     */
    public abstract static class Builder<T extends Builder<T>> extends DecoderBlock.Builder<T> {
        int featureDim;

        Builder() {}

        /**
         * Sets the size of a feature, F.
         *
         * @param featureDim at least 1
         * @return this
         */
        public T setFeatureDim(int featureDim) {
            this.featureDim = featureDim;
            return self();
        }

        @Override
        void check(String who) {
            super.check(who);
            Check.atLeast(who, "featureDim", featureDim, 1);
        }
    }
}
