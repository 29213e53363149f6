package org.slotwise.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import org.slotwise.clustering.KMeans;
import org.slotwise.clustering.KMeansOptions;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Options;
import org.slotwise.internal.Scalars;
import org.slotwise.layer.Linear;
import org.slotwise.model.ConditioningConfiguration.GroundAndClusters;
import org.slotwise.model.SlotStart.Beginning;

/**
 * Slots that start from the ground and from clusters of what differs from it: the means of their
 * features, through a learnt linear map. The ground, the cluster that has the colours of the
 * border, is the first, and has a map of its own.
 */
final class GroundStart extends ConfiguredBlock {

    /** Behind all that have something. */
    private static final double LAST = 2;

    private final int slots;
    private final int dim;
    private final BorderContrast contrast;
    private final KMeans rough;
    private final KMeans exact;
    private final Linear map;
    private final Linear ground;

    GroundStart(GroundAndClusters c, Sizes sizes) {
        slots = sizes.slots();
        dim = sizes.slotDim();
        contrast = new BorderContrast(c.patchSize(), c.around(), c.placeWeight(), c.tolerance());
        rough =
                new KMeans(
                        slots,
                        KMeansOptions.builder()
                                .optNInit(1)
                                .optMaxIter(c.trainingIterations())
                                .build());
        exact = new KMeans(slots, KMeansOptions.builder().optNInit(c.starts()).optSeed(0).build());
        map = Linear.of(declarer().under("map"), sizes.featureDim(), dim);
        ground = Linear.of(declarer().under("ground"), sizes.featureDim(), dim);
    }

    /** A beginning for images (B, 3, H, W) in [0, 1] and their features (B, N, F). */
    Beginning begin(
            ParameterStore store,
            NDArray images,
            FeatureExtractorOutput features,
            boolean training) {
        NDArray members = NoGraph.during(() -> members(images, training));
        NDArray values = values(store, features.features(), members, training);
        return new Beginning(values, null, new PerceptualGroupingOutput(values, members, null));
    }

    private NDArray values(
            ParameterStore store, NDArray features, NDArray members, boolean training) {
        return compute(
                        store,
                        features,
                        training,
                        pass -> {
                            // An empty cluster has a mean of 0.
                            NDArray counts = Ops.clampMin(members.sum(new int[] {2}, true), 1);
                            NDArray means = members.div(counts).matMul(features);
                            NDArray first = ground.apply(pass, means.get(":, :1"));
                            NDArray others = map.apply(pass, means.get(":, 1:"));
                            return new NDList(first.concat(others, 1));
                        })
                .head();
    }

    /** What belongs to each slot (B, K, N): in the order of contrast, the ground first. */
    private NDArray members(NDArray images, boolean training) {
        BorderContrast.Seen seen = contrast.of(images);
        NDArray found = (training ? rough : exact).partition(seen.features(), null).members();
        NDArray counts = found.sum(new int[] {2}); // (B, K)
        NDArray means =
                found.matMul(seen.contrast().expandDims(2)).squeeze(2).div(Ops.clampMin(counts, 1));
        NDArray none = counts.lt(Scalars.like(counts, 0.5)).toType(counts.getDataType(), false);
        NDArray order = means.add(none.mul(Scalars.like(means, LAST))).argSort(1);
        return order.oneHot(slots, found.getDataType()).matMul(found);
    }

    @Override
    protected NDList outputs(ParameterStore parameterStore, NDList inputs, boolean training) {
        throw new UnsupportedOperationException("GroundStart begins with images and features");
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
