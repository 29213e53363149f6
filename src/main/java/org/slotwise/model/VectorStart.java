package org.slotwise.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.Options;
import org.slotwise.layer.StartingValues;

/** One vector for all slots, which is drawn once and not learnt: {@code start} (D). */
final class VectorStart extends ConfiguredBlock {

    private static final double DEVIATION = 0.1;

    private final int slots;
    private final int dim;
    private final Parameter start;

    VectorStart(int slots, int dim) {
        this.slots = slots;
        this.dim = dim;
        start = declarer().other("start", StartingValues.normal(DEVIATION), false, dim);
    }

    /** The vector for each slot of each image, (B, K, D). */
    NDArray values(ParameterStore store, NDArray images, boolean training) {
        long batch = images.getShape().get(0);
        return compute(
                        store,
                        images,
                        training,
                        pass ->
                                new NDList(
                                        pass.value(start)
                                                .reshape(1, 1, dim)
                                                .broadcast(batch, slots, dim)))
                .head();
    }

    @Override
    protected NDList outputs(ParameterStore parameterStore, NDList inputs, boolean training) {
        return new NDList(values(parameterStore, inputs.head(), training));
    }

    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        return new Shape[] {new Shape(inputShapes[0].get(0), slots, dim)};
    }

    @Override
    protected Options configuration() {
        return Options.of("dim", dim);
    }
}
