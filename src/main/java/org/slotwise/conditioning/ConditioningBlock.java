package org.slotwise.conditioning;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.internal.Check;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.Inputs;
import org.slotwise.internal.Limits;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;

/**
 * What the conditionings of this package have in common: inputs and their checks, and where noise
 * comes from.
 */
public abstract class ConditioningBlock extends ConfiguredBlock implements Conditioning {

    private final int dim;
    private final int slots;
    private final boolean slotwise;
    private final Noise noise;

    /**
     * Creates the block.
     *
     * @param builder the size of a slot, and how many are made where the caller does not say
     * @param slotwise whether each slot has parameters of its own, so that there can be no more
     * @param noise makes the noise, once the options are known to be right
     */
    ConditioningBlock(Builder<?> builder, boolean slotwise, Supplier<Noise> noise) {
        Check.atLeast(who(), "dim", builder.dim, 1);
        Limits.count(who(), "slots", builder.slots, 1, Limits.SLOTS);
        Limits.numbers(who(), "the slots of an image", builder.slots, builder.dim);
        this.dim = builder.dim;
        this.slots = builder.slots;
        this.slotwise = slotwise;
        this.noise = noise.get();
    }

    /**
     * Computes the slots' initial values.
     *
     * @param pass the call of the block
     * @param batch B
     * @param count K
     * @param noise gives (B, K, D)
     * @return a new array (B, K, D)
     */
    abstract NDArray start(Pass pass, long batch, long count, Supplier<NDArray> noise);

    /**
     * The size of a slot.
     *
     * @return D
     */
    public final int dim() {
        return dim;
    }

    /**
     * The number of slots that are made where the caller does not say how many.
     *
     * @return K
     */
    public final int slots() {
        return slots;
    }

    /** {@inheritDoc} */
    @Override
    public final NDArray sample(
            ParameterStore parameterStore,
            NDManager manager,
            long batch,
            long slots,
            boolean training) {
        Inputs.manager(who(), manager);
        return draw(parameterStore, manager, manager.getDevice(), batch, slots, training);
    }

    private NDArray draw(
            ParameterStore store,
            NDManager manager,
            Device device,
            long batch,
            long count,
            boolean training) {
        Check.atLeast(who(), "batch", batch, 1);
        checkSlots(count);
        Limits.numbers(who(), "the slots", batch, count, dim);
        Shape shape = new Shape(batch, count, dim);
        return start(store, manager, device, shape, null, training);
    }

    /** {@inheritDoc} */
    @Override
    public final NDArray sample(ParameterStore parameterStore, NDArray noise, boolean training) {
        Check.shape(who(), NOISE, noise, "B", "K", dim);
        Shape shape = noise.getShape();
        checkSlots(shape.get(1));
        return start(parameterStore, noise.getManager(), noise.getDevice(), shape, noise, training);
    }

    /** Initial values of a shape, from noise that was given or else from draws. */
    private NDArray start(
            ParameterStore store,
            NDManager owner,
            Device device,
            Shape shape,
            @Nullable NDArray given,
            boolean training) {
        Supplier<NDArray> draws =
                () -> given == null ? noise.draw(owner, device, shape, type()) : given;
        NDList out =
                compute(
                        store,
                        owner,
                        device,
                        training,
                        pass -> {
                            if (given != null) {
                                String as = " as the block's parameters";
                                Check.type(who(), NOISE, given, type(), as);
                            }
                            return new NDList(start(pass, shape.get(0), shape.get(1), draws));
                        });
        NDArray result = out.head();
        result.setName(CONDITIONING);
        return result;
    }

    /** The parameters' type. */
    private DataType type() {
        return getDirectParameters().valueAt(0).getArray().getDataType();
    }

    private void checkSlots(long count) {
        boolean inRange = count > 0 && (!slotwise || count <= slots);
        String expected = slotwise ? "must be 1 to " + slots : "must be at least 1";
        Check.option(inRange, who() + ": slots " + expected + ", got " + count);
    }

    /** {@inheritDoc} */
    @Override
    protected final NDList outputs(ParameterStore parameterStore, NDList inputs, boolean training) {
        NDArray given = named(inputs, NOISE);
        NDArray first = named(inputs, FeatureExtractorOutput.FEATURES);
        if (first == null) {
            first =
                    inputs.stream()
                            .filter(array -> !NOISE.equals(array.getName()))
                            .findFirst()
                            .orElse(given);
        }
        NDArray features = Check.present(who(), FeatureExtractorOutput.FEATURES, first);
        long batch = batch(features.getShape());
        if (given != null) {
            Check.shape(who(), NOISE, given, batch, "K", dim);
            return new NDList(sample(parameterStore, given, training));
        }
        return new NDList(
                draw(
                        parameterStore,
                        features.getManager(),
                        features.getDevice(),
                        batch,
                        slots,
                        training));
    }

    private static @Nullable NDArray named(NDList list, String name) {
        return list.stream().filter(a -> name.equals(a.getName())).findFirst().orElse(null);
    }

    private long batch(Shape shape) {
        Check.option(
                shape.dimension() > 0,
                who() + ": inputs must have the batch as their first size, got " + shape);
        return shape.get(0);
    }

    /** {@inheritDoc} */
    @Override
    protected final Shape[] outputShapes(Shape[] inputShapes) {
        return new Shape[] {new Shape(batch(inputShapes[0]), slots, dim)};
    }

    /** {@inheritDoc} */
    @Override
    protected final Options configuration() {
        return Options.of("dim", dim).andUnless(!slotwise, "slots", slots);
    }

    /**
     * Describes what conditionings have in common.
     *
     * @param <T> the builder of one of them
     */
    public abstract static class Builder<T extends Builder<T>> {
        int dim;
        int slots;

        Builder() {}

        abstract T self();

        /**
         * Sets the size of a slot, D.
         *
         * @param dim at least 1
         * @return this
         */
        public T setDim(int dim) {
            this.dim = dim;
            return self();
        }

        /**
         * Sets the number of slots, K, that are made where a call does not say how many. Where each
         * slot starts from values of its own, there can be no more.
         *
         * @param slots from 1 to 65,536
         * @return this
         */
        public T setSlots(int slots) {
            this.slots = slots;
            return self();
        }
    }
}
