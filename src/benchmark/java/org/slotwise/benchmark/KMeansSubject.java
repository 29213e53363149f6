package org.slotwise.benchmark;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.LinkedHashMap;
import java.util.Map;
import org.slotwise.clustering.KMeansClustering;
import org.slotwise.clustering.KMeansOptions;
import org.slotwise.grouping.KMeansGrouping;

/** k-means by the library, on features with or without groups. */
final class KMeansSubject implements Contender {

    private final NDManager manager;
    private final KMeansGrouping block;
    private final int images;
    private final NDArray features; // (B, N, F)
    private final NDArray centers; // (B, K, F)

    KMeansSubject(NDManager manager, Size size) {
        this.manager = manager;
        block =
                KMeansGrouping.builder()
                        .setSlots(size.k())
                        .optClustering(KMeansOptions.builder().optNInit(size.t()).build())
                        .build();
        images = size.b();
        manager.getEngine().setRandomSeed(0);
        features = features(manager, size);
        // To start from: features of the image, scaled as k-means scales them.
        centers = features.get(":, :" + size.k()).normalize(2, -1);
    }

    private static NDArray features(NDManager manager, Size size) {
        Shape shape = new Shape(size.b(), size.n(), size.f());
        NDArray x = manager.randomNormal(shape);
        if (size.name().equals("noise")) {
            return x;
        }
        // Groups' means, of variance 1, and features around them.
        NDArray means = manager.randomNormal(new Shape(size.b(), size.k(), size.f()));
        NDArray group =
                manager.randomInteger(0, size.k(), new Shape(size.b(), size.n(), 1), DataType.INT64)
                        .broadcast(shape);
        double spread = size.name().equals("clear") ? 0.5 : 1;
        return means.gather(group, 1).add(x.mul(spread));
    }

    /** What the Python side reads. */
    Map<String, NDArray> numbers() {
        Map<String, NDArray> numbers = new LinkedHashMap<>();
        numbers.put("features", features);
        numbers.put("conditioning", centers);
        return numbers;
    }

    @Override
    public String name() {
        return "library";
    }

    @Override
    public double run(boolean training) {
        return Contender.milliseconds(manager, () -> inertia(null));
    }

    /**
     * The inertia of each image, from given centres and from starts that are drawn; those for 32
     * images at least, because where one ends is chance.
     */
    @Override
    public Map<String, float[]> results() {
        Map<String, float[]> results = new LinkedHashMap<>();
        results.put("given centres", inertia(centers));
        int calls = (32 + images - 1) / images;
        float[] drawn = new float[calls * images];
        for (int i = 0; i < calls; i++) {
            System.arraycopy(inertia(null), 0, drawn, i * images, images);
        }
        results.put("drawn centres", drawn);
        return results;
    }

    private float[] inertia(NDArray start) {
        try (NDManager pass = manager.newSubManager()) {
            features.attach(pass);
            KMeansClustering found = block.cluster(features, start);
            features.attach(manager);
            return found.inertia().toType(DataType.FLOAT32, false).toFloatArray();
        }
    }
}
