package org.slotwise.examples.slate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import java.util.stream.LongStream;
import org.slotwise.data.Scenes;
import org.slotwise.examples.shared.SceneScoring;
import org.slotwise.layer.GumbelSoftmax;
import org.slotwise.slate.EncodedPictures;
import org.slotwise.slate.GeneratedPictures;
import org.slotwise.slate.Slate;
import org.slotwise.slate.SlateConfiguration;

/**
 * How well a model makes pictures again. Errors are means of squares over all numbers of a picture
 * in [0, 1].
 *
 * @param dvaeError of pictures made of their own tokens
 * @param used how many tokens occur
 * @param own the cross entropy of a picture's tokens with its own slots, a sum over the picture
 * @param foreign the same with the slots of another picture
 * @param generatedError of pictures made of their slots; NaN if none were made
 * @param right how many generated tokens are those of the picture, from 0 to 1; NaN likewise
 */
record SlateScores(
        double dvaeError,
        int used,
        double own,
        double foreign,
        double generatedError,
        double right) {

    private static final int BATCH = 64;

    /**
     * Scores a model.
     *
     * @param slate the model
     * @param scenes pictures, at least two
     * @param generating whether pictures are made of slots, which takes longest
     */
    static SlateScores of(Slate slate, Scenes scenes, boolean generating) throws IOException {
        int count = Math.toIntExact(scenes.size());
        double[] sums = new double[5];
        Set<Long> used = new HashSet<>();
        try (NDManager all = NDManager.newBaseManager()) {
            NDList slots = new NDList();
            NDList tokens = new NDList();
            for (int from = 0; from < count; from += BATCH) {
                int to = Math.min(count, from + BATCH);
                try (NDManager manager = all.newSubManager()) {
                    NDArray images =
                            TrainingPictures.images(
                                    manager, scenes, LongStream.range(from, to).toArray());
                    ParameterStore store = new ParameterStore(manager, false);
                    EncodedPictures seen = encode(slate, images);
                    sums[0] += (to - from) * error(images, again(slate, seen.tokens()));
                    if (generating) {
                        GeneratedPictures made = slate.generate(store, seen.slots());
                        sums[3] += (to - from) * error(images, made.pictures());
                        sums[4] += (to - from) * share(made.tokens().eq(seen.tokens()));
                    }
                    for (long token : seen.tokens().toLongArray()) {
                        used.add(token);
                    }
                    slots.add(kept(seen.slots(), all));
                    tokens.add(kept(seen.tokens(), all));
                }
            }
            NDArray allSlots = NDArrays.concat(slots);
            NDArray allTokens = NDArrays.concat(tokens);
            // The slots of the next picture, and of the first one for the last.
            NDArray others = NDArrays.concat(new NDList(allSlots.get("1:"), allSlots.get(":1")));
            sums[1] = crossEntropy(slate, allSlots, allTokens);
            sums[2] = crossEntropy(slate, others, allTokens);
        }
        double unknown = generating ? 1 : Double.NaN;
        return new SlateScores(
                sums[0] / count,
                used.size(),
                sums[1] / count,
                sums[2] / count,
                unknown * sums[3] / count,
                unknown * sums[4] / count);
    }

    private static NDArray kept(NDArray array, NDManager manager) {
        array.attach(manager);
        return array;
    }

    private static double crossEntropy(Slate slate, NDArray slots, NDArray tokens) {
        double sum = 0;
        long count = slots.getShape().get(0);
        for (long from = 0; from < count; from += BATCH) {
            try (NDManager manager = NDManager.newBaseManager()) {
                long to = Math.min(count, from + BATCH);
                NDArray some = slots.get("{}:{}", from, to);
                some.attach(manager);
                NDArray those = tokens.get("{}:{}", from, to);
                those.attach(manager);
                ParameterStore store = new ParameterStore(manager, false);
                sum += slate.crossEntropy(store, some, those).sum().getFloat();
            }
        }
        return sum;
    }

    private static double error(NDArray images, NDArray made) {
        return made.sub(images).square().mean().getFloat();
    }

    private static double share(NDArray condition) {
        return condition.toType(DataType.FLOAT32, false).mean().getFloat();
    }

    /** Slots, attention and tokens of images (B, 3, S, S); the same each time. */
    static EncodedPictures encode(Slate slate, NDArray images) {
        return slate.encode(
                new ParameterStore(images.getManager(), false),
                images,
                start(slate.sizes().slots(), images));
    }

    /** Where slots start: drawn once, the same for all pictures. */
    private static NDArray start(SlateConfiguration.Slots slots, NDArray images) {
        Random random = new Random(0);
        float[] draws = new float[slots.count() * slots.dim()];
        for (int i = 0; i < draws.length; i++) {
            draws[i] = (float) random.nextGaussian();
        }
        Shape one = new Shape(1, slots.count(), slots.dim());
        return images.getManager().create(draws, one).repeat(0, images.getShape().get(0));
    }

    /** What the auto-encoder makes of tokens (B, L), in [0, 1]. */
    static NDArray again(Slate slate, NDArray tokens) {
        int side = slate.sizes().side();
        NDManager manager = tokens.getManager();
        NDArray codes =
                GumbelSoftmax.oneHot(
                        tokens.reshape(-1, side, side),
                        slate.sizes().vocabulary(),
                        1,
                        DataType.FLOAT32);
        return slate.dvae().decode(new ParameterStore(manager, false), codes, false).clip(0, 1);
    }

    /** The attention (B, K, L) of slots as masks of pixels, (B, K, S S). */
    static NDArray masks(Slate slate, NDArray attention) {
        int side = slate.sizes().side();
        int patch = SlateConfiguration.PATCH;
        Shape s = attention.getShape();
        long slots = s.get(1);
        return attention
                .reshape(s.get(0), slots, side, 1, side, 1)
                .broadcast(s.get(0), slots, side, patch, side, patch)
                .reshape(s.get(0), slots, (long) side * patch * side * patch);
    }

    /** Segments pictures by the slots' attention. */
    static SceneScoring.Way segmenting(Slate slate) {
        return (manager, images) ->
                new SceneScoring.Result(
                        masks(slate, encode(slate, images).attention()), Double.NaN);
    }
}
