package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;

/**
 * What a feature extractor gives for a batch of images or of videos.
 *
 * <p>Source: {@code ocl.typing.FeatureExtractorOutput} of the Object-Centric Learning Framework.
 * Iterating a video by frames works here; the reference has its two branches swapped.
 *
 * @param features (B, N, F) for images, (B, T, N, F) for videos; float32, float64 or float16
 * @param positions (N, spatial dimensions), where each feature lies, in [0, 1]; null if unknown
 * @param auxFeatures further features by name, of an extractor's other layers for instance; may be
 *     empty
 */
public record FeatureExtractorOutput(
        NDArray features, @Nullable NDArray positions, Map<String, NDArray> auxFeatures) {

    /** The name of the features in an {@link NDList}. */
    public static final String FEATURES = "features";

    /** The name of the positions in an {@link NDList}. */
    public static final String POSITIONS = "positions";

    /** How the names of auxiliary features begin in an {@link NDList}. */
    public static final String AUX_FEATURES = "aux_features.";

    /**
     * Creates the record and checks the ranks.
     *
     * @param features (B, N, F) or (B, T, N, F)
     * @param positions (N, spatial dimensions), in [0, 1], or null
     * @param auxFeatures further features by name
     * @throws IllegalArgumentException if features or positions have another rank, or positions are
     *     not as many as features
     */
    public FeatureExtractorOutput {
        Shape shape = features.getShape();
        if (shape.dimension() != 3 && shape.dimension() != 4) {
            throw new IllegalArgumentException(
                    "FeatureExtractorOutput: features must be (B, N, F) or (B, T, N, F), got "
                            + shape);
        }
        if (positions != null) {
            long n = shape.get(shape.dimension() - 2);
            Shape got = positions.getShape();
            if (got.dimension() != 2 || got.get(0) != n) {
                throw new IllegalArgumentException(
                        "FeatureExtractorOutput: positions must be ("
                                + n
                                + ", spatial dimensions), got "
                                + got);
            }
        }
        auxFeatures = Collections.unmodifiableMap(new LinkedHashMap<>(auxFeatures));
    }

    /**
     * Features whose places are unknown.
     *
     * @param features (B, N, F) or (B, T, N, F)
     */
    public FeatureExtractorOutput(NDArray features) {
        this(features, null, Map.of());
    }

    /**
     * Features and where they lie.
     *
     * @param features (B, N, F) or (B, T, N, F)
     * @param positions (N, spatial dimensions), in [0, 1]
     */
    public FeatureExtractorOutput(NDArray features, @Nullable NDArray positions) {
        this(features, positions, Map.of());
    }

    /**
     * Whether these are the features of videos.
     *
     * @return true for (B, T, N, F), false for (B, N, F)
     */
    public boolean isVideo() {
        return features.getShape().dimension() == 4;
    }

    /**
     * The features of images, for a block that groups images.
     *
     * @param who the block that complains
     * @return (B, N, F)
     * @throws IllegalArgumentException if these are the features of videos
     */
    NDArray images(String who) {
        Check.present(who, FEATURES, features);
        if (isVideo()) {
            throw new IllegalArgumentException(
                    who
                            + ": features must be (B, N, F), got those of videos "
                            + features.getShape()
                            + "; group them frame by frame, see FeatureExtractorOutput.frames()");
        }
        return features;
    }

    /**
     * The features frame by frame. Arrays are views: nothing is copied, gradients flow through.
     * They belong to the manager of the features.
     *
     * @return for videos T outputs with features (B, N, F), and with those auxiliary features that
     *     have a time axis (rank 4, same B and T) cut likewise, others passed on whole; for images
     *     a list of this output alone
     */
    public List<FeatureExtractorOutput> frames() {
        if (!isVideo()) {
            return List.of(this);
        }
        Shape shape = features.getShape();
        int frames = Math.toIntExact(shape.get(1));
        List<FeatureExtractorOutput> result = new ArrayList<>(frames);
        for (int t = 0; t < frames; t++) {
            Map<String, NDArray> aux = new LinkedHashMap<>();
            for (Map.Entry<String, NDArray> entry : auxFeatures.entrySet()) {
                NDArray array = entry.getValue();
                Shape s = array.getShape();
                boolean inTime =
                        s.dimension() == 4 && s.get(0) == shape.get(0) && s.get(1) == frames;
                aux.put(entry.getKey(), inTime ? frame(array, t) : array);
            }
            result.add(new FeatureExtractorOutput(frame(features, t), positions, aux));
        }
        return Collections.unmodifiableList(result);
    }

    private static NDArray frame(NDArray video, int t) {
        return video.get(":, {}", t);
    }

    /**
     * Converts to the form in which DJL's blocks pass arrays on. Sets the arrays' names.
     *
     * @return "features", then "positions" if known, then "aux_features.NAME" for each auxiliary
     *     one
     */
    public NDList toNDList() {
        NDList list = new NDList();
        features.setName(FEATURES);
        list.add(features);
        if (positions != null) {
            positions.setName(POSITIONS);
            list.add(positions);
        }
        auxFeatures.forEach(
                (name, array) -> {
                    array.setName(AUX_FEATURES + name);
                    list.add(array);
                });
        return list;
    }

    /**
     * Converts from the form in which DJL's blocks pass arrays on.
     *
     * @param list arrays by the names of {@link #toNDList}; without such names, the first is the
     *     features and the second, if there is one, the positions
     * @return the record
     * @throws IllegalArgumentException if there are no features, or more arrays than can be told
     *     apart
     */
    public static FeatureExtractorOutput from(NDList list) {
        GroupingInputs inputs =
                GroupingInputs.parse("FeatureExtractorOutput", list, FEATURES, POSITIONS);
        Map<String, NDArray> aux = new LinkedHashMap<>();
        for (NDArray array : list) {
            String name = array.getName();
            if (name != null && name.startsWith(AUX_FEATURES)) {
                aux.put(name.substring(AUX_FEATURES.length()), array);
            }
        }
        return new FeatureExtractorOutput(inputs.features(), inputs.get(POSITIONS), aux);
    }
}
