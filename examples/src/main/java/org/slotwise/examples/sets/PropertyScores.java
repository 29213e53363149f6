package org.slotwise.examples.sets;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import ai.djl.training.dataset.Batch;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import org.slotwise.data.ClevrObject;
import org.slotwise.data.PropertyLayout;
import org.slotwise.metric.AdjustedRandIndex;
import org.slotwise.metric.Background;
import org.slotwise.metric.ImageScores;
import org.slotwise.metric.SetAveragePrecision;

/** How well the objects of scenes are told: by a model, and by ways that do not look. */
final class PropertyScores {

    private static final int BATCH = 64;
    private static final int SEEN_BY_BASELINES = 2000;
    private static final int STRIDE = PropertyScenes.SIDE / PropertyModel.GRID;

    private final PropertyScenes scenes;
    private final int slots;

    /**
     * Chooses the scenes.
     *
     * @param scenes which ones
     * @param slots how many objects may be told
     */
    PropertyScores(PropertyScenes scenes, int slots) {
        this.scenes = scenes;
        this.slots = slots;
    }

    /**
     * Results over all scenes.
     *
     * @param precisions average precision at each of the published thresholds
     * @param foreground FG-ARI of the attention, at the middle of each cell of the features' grid;
     *     NaN where there is none
     */
    record Scores(List<Double> precisions, double foreground) {
        @Override
        public String toString() {
            String ap =
                    precisions.stream()
                            .map(p -> String.format(Locale.ROOT, "%5.1f", 100 * p))
                            .collect(Collectors.joining(" "));
            return Double.isNaN(foreground)
                    ? ap
                    : ap + String.format(Locale.ROOT, "   %.3f", foreground);
        }
    }

    /** Tells the objects of a batch; adds up FG-ARI, if there is one. */
    @FunctionalInterface
    private interface Way {
        NDArray tell(Batch batch, double[] foreground);
    }

    /**
     * Scores a model. The draws of its slots start from the scenes' seed.
     *
     * @param model the model
     * @return its scores
     */
    Scores ofModel(PropertyModel model) throws IOException, TranslateException {
        Engine.getInstance().setRandomSeed((int) scenes.seed());
        AdjustedRandIndex index = new AdjustedRandIndex(Background.LEFT_OUT);
        return of(
                (batch, foreground) -> {
                    PropertyModel.Prediction told =
                            model.predict(
                                    new ParameterStore(batch.getManager(), false),
                                    batch.getData().head(),
                                    false);
                    NDArray masks = coarse(batch.getLabels().get(PropertyScenes.MASKS));
                    try (ImageScores scores = index.score(masks, told.attention())) {
                        double[] values = scores.values().toDoubleArray();
                        for (double value : values) {
                            // An image of which no object meets the grid has no index.
                            foreground[0] += Double.isNaN(value) ? 0 : value;
                            foreground[1] += Double.isNaN(value) ? 0 : 1;
                        }
                    }
                    return told.properties();
                });
    }

    /** The labels at the middle of each cell of the grid, (B, 256). */
    private static NDArray coarse(NDArray masks) {
        int side = PropertyScenes.SIDE;
        long[] fine = masks.toLongArray();
        int images = (int) masks.getShape().get(0);
        long[] labels = new long[images * PropertyModel.GRID * PropertyModel.GRID];
        int at = 0;
        for (int b = 0; b < images; b++) {
            for (int y = STRIDE / 2; y < side; y += STRIDE) {
                for (int x = STRIDE / 2; x < side; x += STRIDE) {
                    labels[at++] = fine[(b * side + y) * side + x];
                }
            }
        }
        return masks.getManager()
                .create(labels, new Shape(images, (long) PropertyModel.GRID * PropertyModel.GRID));
    }

    /** Scores one row for all slots: the mean of other scenes' rows, presence included. */
    Scores ofTheMean() throws IOException, TranslateException {
        List<float[]> seen = seen(true);
        float[] mean = new float[ClevrObject.PROPERTIES];
        for (float[] row : seen) {
            for (int i = 0; i < mean.length; i++) {
                mean[i] += row[i] / seen.size();
            }
        }
        return ofRows(() -> mean);
    }

    /** Scores the most frequent kind of other scenes' objects, at places drawn at random. */
    Scores ofTheMostFrequent() throws IOException, TranslateException {
        List<float[]> seen = seen(false);
        String kind =
                seen.stream()
                        .collect(Collectors.groupingBy(this::kind, Collectors.counting()))
                        .entrySet()
                        .stream()
                        .max(Map.Entry.comparingByValue())
                        .orElseThrow()
                        .getKey();
        List<float[]> rows = seen.stream().filter(row -> kind(row).equals(kind)).toList();
        Random random = new Random(scenes.seed());
        return ofRows(
                () -> {
                    float[] row = rows.get(0).clone();
                    row[0] = random.nextFloat();
                    row[1] = random.nextFloat();
                    row[row.length - 1] = random.nextFloat();
                    return row;
                });
    }

    private String kind(float... row) {
        return ClevrObject.decode(row).describe();
    }

    /** Scores objects that other scenes have, drawn at random. */
    Scores ofOtherScenes() throws IOException, TranslateException {
        List<float[]> seen = seen(true);
        Random random = new Random(scenes.seed());
        return ofRows(() -> seen.get(random.nextInt(seen.size())));
    }

    /** Rows of the truth of scenes that are not scored. */
    private List<float[]> seen(boolean empty) throws IOException, TranslateException {
        PropertyScenes others =
                new PropertyScenes(scenes.seed() + 1, SEEN_BY_BASELINES, scenes.maxObjects());
        List<float[]> seen = new ArrayList<>();
        try (NDManager manager = NDManager.newBaseManager()) {
            for (Batch batch : others.dataset(BATCH, slots).getData(manager)) {
                try (batch) {
                    float[] all = batch.getLabels().get(PropertyScenes.PROPERTIES).toFloatArray();
                    int length = ClevrObject.PROPERTIES;
                    for (int at = 0; at < all.length; at += length) {
                        if (empty || all[at + length - 1] > 0) {
                            seen.add(Arrays.copyOfRange(all, at, at + length));
                        }
                    }
                }
            }
        }
        return seen;
    }

    /** A way to make up a row without looking. */
    @FunctionalInterface
    private interface Guess {
        float[] row();
    }

    private Scores ofRows(Guess guess) throws IOException, TranslateException {
        return of(
                (batch, foreground) -> {
                    int length = ClevrObject.PROPERTIES;
                    float[] rows = new float[batch.getSize() * slots * length];
                    for (int at = 0; at < rows.length; at += length) {
                        System.arraycopy(guess.row(), 0, rows, at, length);
                    }
                    return batch.getManager()
                            .create(rows, new Shape(batch.getSize(), slots, length));
                });
    }

    private Scores of(Way way) throws IOException, TranslateException {
        SetAveragePrecision precision = new SetAveragePrecision(PropertyLayout.CLEVR);
        double[] foreground = new double[2];
        try (NDManager manager = NDManager.newBaseManager()) {
            for (Batch batch : scenes.dataset(BATCH, slots).getData(manager)) {
                try (batch) {
                    precision.add(
                            batch.getLabels().get(PropertyScenes.PROPERTIES),
                            way.tell(batch, foreground));
                }
            }
        }
        return new Scores(
                SetAveragePrecision.PUBLISHED.stream().map(precision::at).toList(),
                foreground[0] / foreground[1]);
    }
}
