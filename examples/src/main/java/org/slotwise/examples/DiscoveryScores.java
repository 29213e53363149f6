package org.slotwise.examples;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;
import ai.djl.training.dataset.Batch;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.util.Locale;
import org.slotwise.clustering.KMeansOptions;
import org.slotwise.data.SceneDataset;
import org.slotwise.data.Scenes;
import org.slotwise.decoder.PixelLattice;
import org.slotwise.decoder.SlotDecoding;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.grouping.KMeansGrouping;
import org.slotwise.metric.AdjustedRandIndex;
import org.slotwise.metric.Background;
import org.slotwise.metric.SegmentationEvaluator;

/** How well scenes are segmented: by a model, and by ways that learn nothing. */
final class DiscoveryScores {

    private static final int BATCH = 64;
    private static final int STARTS = 4;

    private static final String ALL_SCENES = "all scenes";

    private final DiscoveryTask task;
    private final Scenes scenes;

    /**
     * Chooses the scenes.
     *
     * @param task of which kind
     * @param seed which ones
     * @param count how many
     */
    DiscoveryScores(DiscoveryTask task, long seed, int count) {
        this(task, task.scenes(seed, count));
    }

    /**
     * Takes scenes of another kind than the task's own.
     *
     * @param task what sizes are
     * @param scenes the scenes
     */
    DiscoveryScores(DiscoveryTask task, Scenes scenes) {
        this.task = task;
        this.scenes = scenes;
    }

    /**
     * Means over all scenes.
     *
     * @param foreground FG-ARI, over the pixels of objects
     * @param all ARI over all pixels
     * @param error mean squared error of the reconstruction; NaN where there is none
     */
    record Scores(double foreground, double all, double error) {
        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT, "FG-ARI %.3f  ARI %.3f  MSE %.5f", foreground, all, error);
        }
    }

    /** A way to segment a batch: masks (B, K, N), and the squared error. */
    @FunctionalInterface
    interface Way {
        Result segment(NDManager manager, NDArray images);
    }

    /**
     * What a way made of a batch.
     *
     * @param masks (B, K, N), or the number of each pixel's slot (B, N)
     * @param error the mean squared error
     */
    record Result(NDArray masks, double error) {

        /** Of pictures that were made again. */
        static Result of(SlotDecoding decoding, NDArray images) {
            NDArray error = decoding.reconstruction().sub(images).square().mean();
            return new Result(decoding.masks().flatten(2, 3), error.getFloat());
        }
    }

    /**
     * Scores a model.
     *
     * @param model the model
     * @param iterations how many iterations of attention
     * @return its scores
     */
    Scores ofModel(DiscoveryModel model, int iterations) throws IOException, TranslateException {
        return of(
                (manager, images) ->
                        Result.of(
                                model.discover(
                                                new ParameterStore(manager, false),
                                                images,
                                                model.settledDraw(images),
                                                iterations,
                                                PixelLattice.ALL,
                                                false)
                                        .decoding(),
                                images));
    }

    /** Scores the cells of a fixed grid, one for each slot. */
    Scores ofCells() throws IOException, TranslateException {
        int[] cells = task.layout().cells();
        return of(
                (manager, images) -> {
                    NDArray one = manager.create(cells).expandDims(0);
                    return new Result(one.repeat(0, images.getShape().get(0)), Double.NaN);
                });
    }

    /**
     * Scores k-means on the colours and places of all pixels.
     *
     * @param weight how much a place counts beside a colour
     */
    Scores ofKMeans(float weight) throws IOException, TranslateException {
        KMeansGrouping kMeans =
                KMeansGrouping.builder()
                        .setSlots(task.layout().slots())
                        .optL2Normalization(false)
                        .optClustering(KMeansOptions.builder().optNInit(STARTS).optSeed(0).build())
                        .build();
        int side = task.layout().side();
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
    Scores of(Way way) throws IOException, TranslateException {
        SegmentationEvaluator foreground = evaluator("FG-ARI", Background.LEFT_OUT);
        SegmentationEvaluator all = evaluator("ARI", Background.COUNTED);
        double errors = 0;
        SceneDataset data =
                SceneDataset.builder().setScenes(scenes).setSampling(BATCH, false).build();
        try (NDManager manager = NDManager.newBaseManager()) {
            for (Batch batch : data.getData(manager)) {
                try (batch) {
                    NDList truth = new NDList(batch.getLabels().get(1));
                    Result result = way.segment(batch.getManager(), batch.getData().head());
                    NDList masks = new NDList(result.masks());
                    foreground.updateAccumulator(ALL_SCENES, truth, masks);
                    all.updateAccumulator(ALL_SCENES, truth, masks);
                    errors += batch.getSize() * result.error();
                }
            }
        }
        return new Scores(
                foreground.getAccumulator(ALL_SCENES),
                all.getAccumulator(ALL_SCENES),
                errors / scenes.size());
    }

    private static SegmentationEvaluator evaluator(String name, Background background) {
        SegmentationEvaluator evaluator =
                new SegmentationEvaluator(name, new AdjustedRandIndex(background));
        evaluator.addAccumulator(ALL_SCENES);
        return evaluator;
    }
}
