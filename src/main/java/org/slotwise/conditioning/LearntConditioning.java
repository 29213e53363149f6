package org.slotwise.conditioning;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Parameter;
import java.util.List;
import java.util.function.Supplier;
import org.slotwise.layer.StartingValues;

/**
 * Slots that start from learnt values, each slot from its own.
 *
 * <p>Source: {@code ocl.conditioning.LearntConditioning} of the Object-Centric Learning Framework.
 *
 * <p>slots (1, K, D) starts as draws from N(0, 1) and is repeated for each image. A call may ask
 * for fewer slots than the block has: it gets the first ones. The result is a copy, never a view of
 * the parameter.
 */
public final class LearntConditioning extends ConditioningBlock {

    private LearntConditioning(Builder builder) {
        super(builder.dim, builder.slots, true, () -> new NormalNoise(null));
        declare("slots", Parameter.Type.OTHER, StartingValues.normal(1), 1, slots(), dim());
    }

    @Override
    NDArray start(List<NDArray> values, long batch, long slots, Supplier<NDArray> noise) {
        return firstSlots(values.get(0), slots).tile(new long[] {batch, 1, 1});
    }

    /** The values of the first slots of (1, K, D). */
    static NDArray firstSlots(NDArray values, long slots) {
        return slots == values.getShape().get(1) ? values : values.get(":, :{}", slots);
    }

    /**
     * Starts the description of a learnt conditioning.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes a {@link LearntConditioning}. */
    public static final class Builder {
        private int dim;
        private int slots;

        private Builder() {}

        /**
         * Sets the size of a slot, D.
         *
         * @param dim at least 1
         * @return this
         */
        public Builder setDim(int dim) {
            this.dim = dim;
            return this;
        }

        /**
         * Sets the number of slots, K.
         *
         * @param slots at least 1
         * @return this
         */
        public Builder setSlots(int slots) {
            this.slots = slots;
            return this;
        }

        /**
         * Builds the block.
         *
         * @return the block
         * @throws IllegalArgumentException if an option is missing or out of range
         */
        public LearntConditioning build() {
            return new LearntConditioning(this);
        }
    }
}
