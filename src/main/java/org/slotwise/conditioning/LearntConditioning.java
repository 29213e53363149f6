package org.slotwise.conditioning;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Parameter;
import java.util.function.Supplier;
import org.slotwise.internal.Pass;
import org.slotwise.layer.StartingValues;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * Slots that start from learnt values, each slot from its own.
 *
 * <p>Source: {@code ocl.conditioning.LearntConditioning} of the Object-Centric Learning Framework.
 *
 * <p>slots (1, K, D) starts as draws from N(0, 1) and is repeated for each image. A call may ask
 * for fewer slots than the block has: it gets the first ones. The result is a copy, never a view of
 * the parameter.
 */
public final class LearntConditioning extends ConditioningBlock implements Scriptable {

    private final Parameter values;

    private LearntConditioning(Builder builder) {
        super(builder, true, () -> new NormalNoise(null));
        values = declarer().other("slots", StartingValues.normal(1), true, 1, slots(), dim());
    }

    @Override
    NDArray start(Pass pass, long batch, long count, Supplier<NDArray> noise) {
        return firstSlots(pass.value(values), count).tile(new long[] {batch, 1, 1});
    }

    /** The values of the first slots of (1, K, D). */
    static NDArray firstSlots(NDArray values, long count) {
        return count == values.getShape().get(1) ? values : values.get(":, :{}", count);
    }

    /** {@inheritDoc} */
    @Override
    public ScriptModule script() {
        return ScriptModule.builder("LearntConditioning")
                .parameter("slots", values)
                .setCode(ConditioningScript.learnt(slots()))
                .build();
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
    public static final class Builder extends ConditioningBlock.Builder<Builder> {

        private Builder() {}

        @Override
        Builder self() {
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
