package org.slotwise.examples.sets;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Block;
import ai.djl.nn.norm.LayerNorm;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import org.slotwise.grouping.PerceptualGroupingOutput;

/**
 * Slots beside the features that belong to them: what a head reads of a mixture.
 *
 * <pre>{@code
 * m   = sum over features of  r x / sum over features of  r
 * out = [slot, LayerNorm(m)]
 * }</pre>
 *
 * <p>A mixture's means are where features are compared, and each still knows on which feature it
 * started. The features say more: where their object is, for one.
 */
final class SeenFeatures extends AbstractBlock {

    private static final byte VERSION = 1;

    /** A slot to which nothing belongs has no features, rather than those of noise. */
    private static final float EPS = 1e-6f;

    private final int dim;
    private final int featureDim;
    private final Block norm;

    /**
     * Makes it.
     *
     * @param dim the size of a slot
     * @param featureDim the size of a feature
     */
    SeenFeatures(int dim, int featureDim) {
        super(VERSION);
        this.dim = dim;
        this.featureDim = featureDim;
        norm = addChildBlock("norm", LayerNorm.builder().axis(2).build());
    }

    /**
     * Puts them side by side.
     *
     * @param store where the weights are
     * @param grouped slots (B, K, dim) with attributions (B, K, N)
     * @param features (B, N, featureDim)
     * @param training whether to record a graph for gradients
     * @return (B, K, dim + featureDim)
     */
    NDArray beside(
            ParameterStore store,
            PerceptualGroupingOutput grouped,
            NDArray features,
            boolean training) {
        return forward(
                        store,
                        new NDList(grouped.objects(), grouped.attributions(), features),
                        training)
                .head();
    }

    @Override
    protected NDList forwardInternal(
            ParameterStore store,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        NDArray r = inputs.get(1);
        NDArray sum = r.sum(new int[] {2}, true).add(EPS);
        NDArray mean = r.matMul(inputs.get(2)).div(sum);
        NDArray seen = norm.forward(store, new NDList(mean), training).head();
        return new NDList(inputs.get(0).concat(seen, 2));
    }

    @Override
    protected void initializeChildBlocks(NDManager manager, DataType type, Shape... inputShapes) {
        norm.initialize(manager, type, new Shape(-1, -1, featureDim));
    }

    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        Shape slots = inputShapes[0];
        return new Shape[] {new Shape(slots.get(0), slots.get(1), (long) dim + featureDim)};
    }
}
