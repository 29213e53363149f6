package org.slotwise.model;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.stream.IntStream;
import org.slotwise.clustering.KMeansOptions;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Options;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;
import org.slotwise.layer.Linear;
import org.slotwise.model.ConditioningConfiguration.GroundAndClusters;
import org.slotwise.model.SlotStart.Beginning;

/**
 * Slots that start from the ground and from clusters of what differs from it: the means of their
 * features, through a learnt linear map. The ground, what has the colours of the border, is the
 * first, and has a map of its own; slots for which there is no cluster are empty.
 */
final class GroundStart extends ConfiguredBlock {

    private final int slots;
    private final int dim;
    private final double placeWeight;
    private final BorderContrast contrast;
    private final FewestClusters rough;
    private final FewestClusters exact;
    private final Linear map;
    private final Linear ground;

    GroundStart(GroundAndClusters c, Sizes sizes) {
        slots = sizes.slots();
        dim = sizes.slotDim();
        placeWeight = c.placeWeight();
        contrast = new BorderContrast(c.patchSize(), c.around(), c.tolerance());
        KMeansOptions.Builder once =
                KMeansOptions.builder().optNInit(1).optMaxIter(c.trainingIterations());
        KMeansOptions.Builder settled = KMeansOptions.builder().optNInit(c.starts()).optSeed(0);
        rough = new FewestClusters(slots - 1, c.spread(), once.build());
        exact = new FewestClusters(slots - 1, c.spread(), settled.build());
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
        NDArray counts = members.sum(new int[] {2}); // (B, K)
        NDArray empty = counts.lt(Scalars.like(counts, 0.5));
        NDArray values = values(store, features.features(), members, training);
        return new Beginning(values, null, new PerceptualGroupingOutput(values, members, empty));
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

    /** What belongs to each slot (B, K, N), the ground first. */
    private NDArray members(NDArray images, boolean training) {
        NDManager owner = images.getManager();
        // How many clusters there are is decided on the host, of some hundred vectors a picture.
        try (Scope scope = new Scope();
                NDManager host = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            // In float16 colours that are near each other would not be told apart.
            boolean half = images.getDataType() == DataType.FLOAT16;
            BorderContrast.Seen seen =
                    contrast.of(half ? images.toType(DataType.FLOAT32, false) : images);
            NDArray other = seen.other();
            Shape s = other.getShape(); // (B, N)
            NDArray places = seen.places().mul(Scalars.like(other, placeWeight)).expandDims(0);
            NDArray vectors = seen.colours().concat(places.broadcast(s.get(0), s.get(1), 2), 2);
            int[] labels =
                    labels(floats(other), floats(vectors), s, training ? rough : exact, host);
            float[] members = new float[slots * labels.length];
            int n = (int) s.get(1);
            for (int i = 0; i < labels.length; i++) {
                members[(i / n * slots + labels[i]) * n + i % n] = 1;
            }
            NDArray made = owner.create(members, new Shape(s.get(0), slots, n));
            NDArray there = made.toDevice(images.getDevice(), false);
            return scope.keep(there.toType(images.getDataType(), false), owner);
        }
    }

    private static float[] floats(NDArray array) {
        return array.toType(DataType.FLOAT32, false).toFloatArray();
    }

    private static boolean areFinite(float[] numbers) {
        for (float number : numbers) {
            if (!Float.isFinite(number)) {
                return false;
            }
        }
        return true;
    }

    /** Which slot each patch belongs to (B N): 0, the ground, where it is not other. */
    private static int[] labels(
            float[] other, float[] vectors, Shape s, FewestClusters clusters, NDManager manager) {
        int[] labels = new int[other.length];
        int n = (int) s.get(1);
        if (clusters.most() == 0) {
            return labels; // one slot, the ground's
        }
        int size = vectors.length / other.length;
        for (int first = 0; first < labels.length; first += n) {
            int[] found = IntStream.range(first, first + n).filter(i -> other[i] != 0).toArray();
            float[] its = new float[found.length * size];
            for (int j = 0; j < found.length; j++) {
                System.arraycopy(vectors, found[j] * size, its, j * size, size);
            }
            if (!areFinite(its)) {
                continue; // its features make its slots NaN, and no other picture's
            }
            long[] cluster = clusters.of(its, size, manager);
            for (int j = 0; j < found.length; j++) {
                labels[found[j]] = (int) cluster[j] + 1;
            }
        }
        return labels;
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
