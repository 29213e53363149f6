package org.slotwise.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.slotwise.clustering.KMeans;
import org.slotwise.clustering.KMeansOptions;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Options;
import org.slotwise.internal.Scalars;
import org.slotwise.layer.Linear;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * Slots that start from weighted means of features, through a learnt linear map.
 *
 * <pre>{@code
 * s = W (weights features) + b                     weights (B, K, N), which sum to 1 over features
 * }</pre>
 */
final class FeatureStart extends ConfiguredBlock implements Scriptable {

    /** From features (B, N, F) to weights (B, K, N). */
    @FunctionalInterface
    interface Weights {
        NDArray of(NDArray features, boolean training);
    }

    private final int slots;
    private final int dim;
    private final Weights weights;
    private final @Nullable KMeans clusters; // of inference, where there are some
    private final @Nullable PatchColours colours; // what is weighed by; null for features
    private final Linear map;

    private FeatureStart(
            Sizes sizes,
            Weights weights,
            @Nullable KMeans clusters,
            @Nullable PatchColours colours) {
        slots = sizes.slots();
        dim = sizes.slotDim();
        this.weights = weights;
        this.clusters = clusters;
        this.colours = colours;
        map = Linear.of(declarer().under("map"), sizes.featureDim(), dim);
    }

    /**
     * From clusters of k-means: of features whose mean is taken all weigh the same.
     *
     * @param colours what is clustered; null for features
     */
    static FeatureStart ofClusters(
            int starts, int trainingIterations, @Nullable PatchColours colours, Sizes sizes) {
        KMeans rough =
                new KMeans(
                        sizes.slots(),
                        KMeansOptions.builder().optNInit(1).optMaxIter(trainingIterations).build());
        KMeans exact =
                new KMeans(
                        sizes.slots(), KMeansOptions.builder().optNInit(starts).optSeed(0).build());
        return new FeatureStart(
                sizes,
                (features, training) -> {
                    NDArray members =
                            (training ? rough : exact).partition(features, null).members();
                    NDArray counts = members.sum(new int[] {2}, true);
                    // An empty cluster has a mean of 0.
                    return members.div(Ops.clampMin(counts, 1));
                },
                exact,
                colours);
    }

    /** From features drawn without repetition. */
    static FeatureStart ofRandomFeatures(@Nullable Long inferenceSeed, Sizes sizes) {
        return new FeatureStart(
                sizes,
                (features, training) -> {
                    Shape s = features.getShape();
                    return training || inferenceSeed == null
                            ? drawn(features, sizes.slots())
                            : chosen(features, sizes.slots(), inferenceSeed)
                                    .broadcast(s.get(0), sizes.slots(), s.get(1));
                },
                null,
                null);
    }

    private static NDArray drawn(NDArray features, int slots) {
        Shape s = features.getShape();
        NDArray draws =
                features.getManager()
                        .randomUniform(0, 1, new Shape(s.get(0), s.get(1)), DataType.FLOAT32)
                        .toDevice(features.getDevice(), false);
        NDArray first = draws.argSort(1).get(":, 0:{}", slots);
        return first.oneHot((int) s.get(1), features.getDataType());
    }

    private static NDArray chosen(NDArray features, int slots, long seed) {
        int n = Math.toIntExact(features.getShape().get(1));
        List<Integer> places = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            places.add(i);
        }
        Collections.shuffle(places, new Random(seed));
        double[] one = new double[slots * n];
        for (int k = 0; k < slots; k++) {
            one[k * n + places.get(k)] = 1;
        }
        return Scalars.of(
                features.getManager(),
                features.getDevice(),
                one,
                new Shape(1, slots, n),
                features.getDataType());
    }

    /** Initial values (B, K, D) for images (B, 3, H, W) in [0, 1] and their features (B, N, F). */
    NDArray values(ParameterStore store, NDArray images, NDArray features, boolean training) {
        return weighed(
                store,
                features,
                colours == null ? features : NoGraph.during(() -> colours.of(images)),
                training);
    }

    private NDArray weighed(
            ParameterStore store, NDArray features, NDArray seen, boolean training) {
        return compute(
                        store,
                        features,
                        training,
                        pass -> {
                            NDArray w = NoGraph.during(() -> weights.of(seen, training));
                            return new NDList(map.apply(pass, w.batchMatMul(features)));
                        })
                .head();
    }

    /** Of clusters, which nothing is drawn for: as many slots as it was built with. */
    @Override
    public ScriptModule script() {
        if (clusters == null) {
            throw new IllegalArgumentException(
                    who() + ": features drawn at random cannot be written in TorchScript");
        }
        return ScriptModule.builder("FeatureStart")
                .module("clusters", clusters.script())
                .module("colours", colours == null ? null : colours.script())
                .module("map", map.script())
                .optInputs("images", "features", "noise", "slots")
                .setCode(
                        "def forward(self, images: Tensor, features: Tensor, noise: Optional[Tensor], slots: Optional[int]) -> Tensor:\n"
                                + SlotStart.nothingDrawn(slots)
                                + """
                                  m = self.clusters.forward(%s)
                                  w = torch.div(m, torch.clamp(torch.sum(m, [2], True), 1))
                                  return self.map.forward(torch.matmul(w, features))
                                """
                                        .formatted(
                                                colours == null
                                                        ? "features"
                                                        : "self.colours.forward(images)"))
                .build();
    }

    @Override
    protected NDList outputs(ParameterStore parameterStore, NDList inputs, boolean training) {
        NDArray features = inputs.head();
        return new NDList(weighed(parameterStore, features, features, training));
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
