package org.slotwise.examples.shared;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;
import ai.djl.training.dataset.Batch;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import org.slotwise.clustering.KMeansOptions;
import org.slotwise.data.SceneDataset;
import org.slotwise.data.Scenes;
import org.slotwise.decoder.SlotDecoding;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.grouping.KMeansGrouping;
import org.slotwise.metric.AdjustedRandIndex;
import org.slotwise.metric.Background;
import org.slotwise.metric.MeanBestOverlap;
import org.slotwise.metric.MeanIntersectionOverUnion;
import org.slotwise.metric.SegmentationEvaluator;

/** How well scenes are segmented: by a model, and beside it by ways that learn nothing. */
public final class SceneScoring {

    private static final int BATCH = 64;
    private static final int STARTS = 4;

    private static final String ALL_SCENES = "all scenes";

    private final Scenes scenes;
    private final int side;
    private final int slots;

    /**
     * Chooses the scenes.
     *
     * @param scenes the scenes
     * @param side their height and width
     * @param slots into how many parts the ways that learn nothing divide a scene
     */
    public SceneScoring(Scenes scenes, int side, int slots) {
        this.scenes = scenes;
        this.side = side;
        this.slots = slots;
    }

    /**
     * Means over all scenes.
     *
     * @param foreground FG-ARI, over the pixels of objects
     * @param all ARI over all pixels
     * @param overlap mBO of objects
     * @param union mIoU of objects
     * @param error mean squared error of the reconstruction; NaN where there is none
     */
    public record Scores(
            double foreground, double all, double overlap, double union, double error) {
        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT, "FG-ARI %.3f  ARI %.3f  MSE %.5f", foreground, all, error);
        }
    }

    /** A way to segment a batch. */
    @FunctionalInterface
    public interface Way {
        /**
         * Segments a batch.
         *
         * @param manager the owner of what is made
         * @param images (B, 3, H, W) in [0, 1]
         * @return what was made of it
         */
        Result segment(NDManager manager, NDArray images);
    }

    /**
     * What a way made of a batch.
     *
     * @param masks (B, K, N), or the number of each pixel's slot (B, N)
     * @param error the mean squared error
     */
    public record Result(NDArray masks, double error) {

        /** Of pictures that were made again. */
        public static Result of(SlotDecoding decoding, NDArray images) {
            NDArray error = decoding.reconstruction().sub(images).square().mean();
            return new Result(decoding.masks().flatten(2, 3), error.getFloat());
        }
    }

    /** Scores the cells of a fixed grid, one for each slot. */
    public Scores ofCells() throws IOException, TranslateException {
        int[] cells = cells();
        return of(
                (manager, images) -> {
                    NDArray one = manager.create(cells).expandDims(0);
                    return new Result(one.repeat(0, images.getShape().get(0)), Double.NaN);
                });
    }

    /** For each pixel the cell in which it lies: two rows of cells. */
    private int[] cells() {
        int[] cells = new int[side * side];
        for (int i = 0; i < cells.length; i++) {
            int row = i / side * 2 / side;
            int column = i % side * columns() / side;
            cells[i] = row * columns() + column;
        }
        return cells;
    }

    private int columns() {
        return (slots + 1) / 2;
    }

    /** What the cells are called. */
    public String cellsName() {
        return slots == 4 ? "the four quarters" : "a grid of 2 x " + columns();
    }

    /**
     * Scores k-means on the colours and places of all pixels.
     *
     * @param weight how much a place counts beside a colour
     */
    public Scores ofKMeans(float weight) throws IOException, TranslateException {
        KMeansGrouping kMeans =
                KMeansGrouping.builder()
                        .setSlots(slots)
                        .optL2Normalization(false)
                        .optClustering(KMeansOptions.builder().optNInit(STARTS).optSeed(0).build())
                        .build();
        float[] places = new float[2 * side * side];
        for (int i = 0; i < side * side; i++) {
            places[i] = weight * (i / side) / (side - 1);
            places[side * side + i] = weight * (i % side) / (side - 1);
        }
        return of(
                (manager, images) -> {
                    long batch = images.getShape().get(0);
                    NDArray place = manager.create(places).reshape(1, 2, -1).repeat(0, batch);
                    NDArray pixels = images.reshape(batch, 3, -1).concat(place, 1);
                    NDArray features = pixels.transpose(0, 2, 1); // (B, N, 5)
                    kMeans.initialize(manager, features.getDataType(), features.getShape());
                    return new Result(
                            kMeans.group(
                                            new ParameterStore(manager, false),
                                            new FeatureExtractorOutput(features),
                                            null,
                                            false)
                                    .attributions(),
                            Double.NaN);
                });
    }

    /**
     * Scores a way.
     *
     * @param way what segments a batch
     * @return its scores
     */
    public Scores of(Way way) throws IOException, TranslateException {
        List<SegmentationEvaluator> evaluators =
                List.of(
                        new SegmentationEvaluator(new AdjustedRandIndex(Background.LEFT_OUT)),
                        new SegmentationEvaluator(new AdjustedRandIndex(Background.COUNTED)),
                        new SegmentationEvaluator(new MeanBestOverlap(Background.LEFT_OUT)),
                        new SegmentationEvaluator(
                                new MeanIntersectionOverUnion(Background.LEFT_OUT)));
        evaluators.forEach(evaluator -> evaluator.addAccumulator(ALL_SCENES));
        double errors = 0;
        SceneDataset data =
                SceneDataset.builder().setScenes(scenes).setSampling(BATCH, false).build();
        try (NDManager manager = NDManager.newBaseManager()) {
            for (Batch batch : data.getData(manager)) {
                try (batch) {
                    NDList truth = new NDList(batch.getLabels().get(1));
                    Result result = way.segment(batch.getManager(), batch.getData().head());
                    NDList masks = new NDList(result.masks());
                    evaluators.forEach(e -> e.updateAccumulator(ALL_SCENES, truth, masks));
                    errors += batch.getSize() * result.error();
                }
            }
        }
        return new Scores(
                evaluators.get(0).getAccumulator(ALL_SCENES),
                evaluators.get(1).getAccumulator(ALL_SCENES),
                evaluators.get(2).getAccumulator(ALL_SCENES),
                evaluators.get(3).getAccumulator(ALL_SCENES),
                errors / scenes.size());
    }
}
