package org.slotwise.examples.diffusion;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.slotwise.data.Scenes;
import org.slotwise.diffusion.CrossAttentionMasks;
import org.slotwise.diffusion.Ddim;
import org.slotwise.diffusion.DiffusionDraws;
import org.slotwise.diffusion.Sampling;
import org.slotwise.diffusion.TimeChoice;
import org.slotwise.examples.shared.SceneArrays;
import org.slotwise.examples.shared.SceneScoring;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.image.SlotMasks;
import org.slotwise.model.LatentSlotDiffusion;
import org.slotwise.model.ObjectDiscoveryOutput;

/**
 * How good a model is on pictures that it has not seen. Errors are of colours in [0, 1].
 *
 * @param model the model
 * @param scenes the pictures, at least two
 */
record DiffusionScores(LatentSlotDiffusion model, Scenes scenes) {

    private static final int BATCH = 64;

    /** Of so many steps one has been taken. */
    private static final int LITTLE_NOISE = 20;

    /** What is measured of a batch, summed over its pictures. */
    @FunctionalInterface
    private interface Measure {
        double[] of(ParameterStore store, NDArray images);
    }

    private double[] mean(int count, int numbers, Measure measure) throws IOException {
        double[] sums = new double[numbers];
        for (int from = 0; from < count; from += BATCH) {
            // Never one picture alone: it is compared with another one.
            int to = count - from <= BATCH + 1 ? count : from + BATCH;
            try (NDManager manager = NDManager.newBaseManager()) {
                NDArray images =
                        SceneArrays.images(manager, scenes, LongStream.range(from, to).toArray());
                double[] some = measure.of(new ParameterStore(manager, false), images);
                for (int i = 0; i < numbers; i++) {
                    sums[i] += some[i] * (to - from) / count;
                }
            }
            if (to == count) {
                break;
            }
        }
        return sums;
    }

    private int size() {
        return Math.toIntExact(scenes.size());
    }

    /** The error of pictures that the autoencoder makes again. */
    double autoencoder() throws IOException {
        return mean(
                size(),
                1,
                (store, images) ->
                        new double[] {
                            error(model.images(store, model.latents(store, images)), images)
                        })[0];
    }

    /** The error of pictures that the decoder of the first stage makes. */
    double mixture() throws IOException {
        return mean(
                size(),
                1,
                (store, images) ->
                        new double[] {
                            error(
                                    model.discovery()
                                            .discover(store, images, false)
                                            .reconstruction(),
                                    images)
                        })[0];
    }

    /**
     * What the denoiser's loss is.
     *
     * @param own with a picture's own slots
     * @param other with those of another picture
     */
    record Losses(double own, double other) {}

    /** The denoiser's loss, at the same times and with the same noise each time. */
    Losses losses() throws IOException {
        Random draws = new Random(0);
        double[] both =
                mean(
                        size(),
                        2,
                        (store, images) -> {
                            NDArray latents = model.latents(store, images);
                            NDArray slots = model.slots(store, images, false).objects();
                            DiffusionDraws noise =
                                    DiffusionDraws.of(
                                            draws,
                                            model.decoder().learning().noising().schedule(),
                                            images.getManager(),
                                            latents.getShape(),
                                            latents.getDataType(),
                                            0);
                            return new double[] {
                                loss(store, latents, slots, noise),
                                loss(store, latents, next(slots), noise)
                            };
                        });
        return new Losses(both[0], both[1]);
    }

    private double loss(
            ParameterStore store, NDArray latents, NDArray slots, DiffusionDraws draws) {
        return model.decoder().loss(store, latents, slots, draws, false).getFloat();
    }

    /** Each picture's turn is the next one's. */
    private static NDArray next(NDArray batch) {
        return batch.get("1:").concat(batch.get("0:1"), 0);
    }

    /**
     * How far drawn pictures are from others.
     *
     * @param own from the picture whose slots they were drawn of
     * @param other from another picture
     * @param mean how far pictures are from the mean of all
     */
    record Distances(double own, double other, double mean) {}

    /**
     * Draws pictures of the slots of pictures.
     *
     * @param count of how many
     * @param sampling in which steps
     * @param seed of which noise
     */
    Distances distances(int count, Sampling sampling, int seed) throws IOException {
        double[] three =
                mean(
                        Math.min(count, size()),
                        3,
                        (store, images) -> {
                            NDArray slots = model.slots(store, images, false).objects();
                            NDArray made = model.generate(store, slots, sampling, seed);
                            NDArray mean = images.mean(new int[] {0}, true);
                            return new double[] {
                                error(made, images),
                                error(made, next(images)),
                                error(images, mean.broadcast(images.getShape()))
                            };
                        });
        return new Distances(three[0], three[1], three[2]);
    }

    /** The same of all pictures. */
    Distances distances(Sampling sampling, int seed) throws IOException {
        return distances(size(), sampling, seed);
    }

    /** DDIM in some steps. */
    Sampling sampling(int steps) {
        return model.sampling()
                .setSampler(
                        Ddim.builder()
                                .setSchedule(model.decoder().learning().noising().schedule())
                                .optTimes(TimeChoice.trailing(steps))
                                .build())
                .build();
    }

    private static double error(NDArray made, NDArray images) {
        return made.sub(images).square().mean().getFloat();
    }

    /** Scores masks beside those of other ways. */
    SceneScoring scoring() {
        var sizes = model.madeFrom().discovery();
        return new SceneScoring(scenes, sizes.imageHeight(), sizes.slots());
    }

    /** Scores what slots attend to, brought to the pictures' size. */
    SceneScoring.Scores attention() throws IOException {
        return scored(
                (manager, images) -> {
                    ParameterStore store = new ParameterStore(manager, false);
                    NDArray maps = maps(model, model.slots(store, images, false));
                    return new SceneScoring.Result(winners(maps), Double.NaN);
                });
    }

    /** Where the denoiser looks: its last layer but one, when there is little noise. */
    static CrossAttentionMasks looks(LatentSlotDiffusion model) {
        int steps = model.decoder().learning().noising().schedule().steps();
        return CrossAttentionMasks.builder().optTimes(steps / LITTLE_NOISE).optLayers(-2).build();
    }

    /** Scores where the denoiser looks, at the pictures' size. */
    SceneScoring.Scores crossAttention(int seed) throws IOException {
        CrossAttentionMasks how = looks(model);
        return scored(
                (manager, images) -> {
                    ParameterStore store = new ParameterStore(manager, false);
                    NDArray masks = model.crossAttentionMasks(store, images, how, seed);
                    return new SceneScoring.Result(masks.flatten(2, 3), Double.NaN);
                });
    }

    /** What slots attend to (B, K, h, w). */
    static NDArray maps(LatentSlotDiffusion model, PerceptualGroupingOutput found) {
        NDArray attention = found.attributions();
        Shape grid = model.discovery().featureGrid();
        Shape s = attention.getShape();
        return attention.reshape(s.get(0), s.get(1), grid.get(0), grid.get(1));
    }

    private NDArray winners(NDArray maps) {
        int side = model.madeFrom().discovery().imageHeight();
        int[] all =
                SlotMasks.each(maps).stream()
                        .flatMapToInt(masks -> IntStream.of(masks.winners(side, side)))
                        .toArray();
        return maps.getManager().create(all, new Shape(maps.size(0), (long) side * side));
    }

    /** Scores the masks of the first stage's decoder. */
    SceneScoring.Scores masks() throws IOException {
        return scored(
                (manager, images) -> {
                    ParameterStore store = new ParameterStore(manager, false);
                    ObjectDiscoveryOutput out = model.discovery().discover(store, images, false);
                    return new SceneScoring.Result(out.masks().flatten(2, 3), Double.NaN);
                });
    }

    private SceneScoring.Scores scored(SceneScoring.Way way) throws IOException {
        try {
            return scoring().of(way);
        } catch (TranslateException e) {
            throw new IllegalStateException("scenes need no translation", e);
        }
    }
}
