package org.slotwise.examples.discover;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;

/**
 * A {@link DiscoveryModel} that tells all it knows of an image, by name: what slots are, what they
 * look like, where they show, and what they attended to. For DJL's {@code Predictor}.
 */
final class TracedDiscovery extends AbstractBlock {

    private static final byte VERSION = 1;

    private final DiscoveryModel model;
    private final int iterations;

    /**
     * Wraps a model.
     *
     * @param model a model with weights
     * @param iterations how many iterations of attention
     */
    TracedDiscovery(DiscoveryModel model, int iterations) {
        super(VERSION);
        this.model = addChildBlock("model", model);
        this.iterations = iterations;
    }

    @Override
    protected NDList forwardInternal(
            ParameterStore store,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        return model.trace(store, inputs.head(), iterations);
    }

    /** The size of the images that the model takes: (3, H, W). */
    Shape imageShape() {
        return getOutputShapes(new Shape[] {new Shape(1, 3, -1, -1)})[0].slice(1);
    }

    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        return model.getOutputShapes(inputShapes);
    }
}
