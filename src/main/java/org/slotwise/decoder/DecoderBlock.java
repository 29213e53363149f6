package org.slotwise.decoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import org.slotwise.internal.Check;
import org.slotwise.internal.ConfiguredBlock;

/** What every decoder of slots has in common: the slots, and their size. */
public abstract class DecoderBlock extends ConfiguredBlock {

    static final String SLOTS = "slots";

    final int slotDim;

    DecoderBlock(Builder<?> builder) {
        slotDim = builder.slotDim;
    }

    /** Requires slots (B, K, D) of a type that the blocks compute in. */
    final NDArray checked(NDArray slots) {
        Check.shape(who(), SLOTS, slots, "B", "K", slotDim);
        Check.floating(who(), SLOTS, slots.getDataType());
        return slots;
    }

    /** Requires the shape of slots (B, K, D), where -1 is an unknown size. */
    final Shape checked(Shape slots) {
        Check.shape(who(), SLOTS, slots, "B", "K", slotDim);
        return slots;
    }

    /** Decodes what came in a list. */
    abstract NDList decode(ParameterStore store, NDList inputs, boolean training);

    /** {@inheritDoc} */
    @Override
    protected final NDList outputs(ParameterStore parameterStore, NDList inputs, boolean training) {
        return decode(parameterStore, inputs, training);
    }

    /** {@inheritDoc} */
    @Override
    protected final String inputName() {
        return SLOTS;
    }

    /**
     * Describes what decoders of slots have in common.
     *
     * @param <T> the builder of one of them
     */
    public abstract static class Builder<T extends Builder<T>> {
        int slotDim;

        Builder() {}

        abstract T self();

        /**
         * Sets the size of a slot, D.
         *
         * @param slotDim at least 1
         * @return this
         */
        public T setSlotDim(int slotDim) {
            this.slotDim = slotDim;
            return self();
        }

        /** Checks the options, in the name of the block. */
        void check(String who) {
            Check.atLeast(who, "slotDim", slotDim, 1);
        }
    }
}
