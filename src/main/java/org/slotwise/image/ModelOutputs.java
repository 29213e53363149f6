package org.slotwise.image;

import ai.djl.modality.cv.Image;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slotwise.decoder.SlotDecoding;
import org.slotwise.grouping.AttentionTrace;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.internal.Check;

/** The arrays that a model gives for a batch, read into Java's memory. */
final class ModelOutputs {

    private final String who;
    private final NDList list;
    private final long batch;
    private final Options options;

    /**
     * How outputs are to be read.
     *
     * @param height rows of the images that went in
     * @param width their columns
     * @param gridHeight rows of the features; 0 to find out
     * @param gridWidth columns of the features
     * @param names what the outputs are called; null to go by their own names
     */
    record Options(
            int height, int width, int gridHeight, int gridWidth, @Nullable List<String> names) {}

    ModelOutputs(String who, NDList list, long batch, Options options) {
        this.who = who;
        this.list = list;
        this.batch = batch;
        this.options = options;
        Check.option(
                options.names() == null || options.names().size() == list.size(),
                who + ": outputNames must be as many as the outputs, " + list.size());
    }

    private @Nullable NDArray find(String name) {
        for (int i = 0; i < list.size(); i++) {
            if (name.equals(name(i))) {
                return list.get(i);
            }
        }
        return null;
    }

    private @Nullable String name(int i) {
        return options.names() == null ? list.get(i).getName() : options.names().get(i);
    }

    List<SlotMasks> masks() {
        NDArray masks = find(SlotDecoding.MASKS);
        if (masks != null) {
            if (masks.getShape().dimension() == 3) {
                return SlotMasks.each(onGrid(SlotDecoding.MASKS, masks));
            }
            Shape shape = masks.getShape();
            if (shape.dimension() == 5) {
                Check.shape(who, SlotDecoding.MASKS, shape, batch, "K", 1, "h", "w");
            } else {
                Check.shape(who, SlotDecoding.MASKS, shape, batch, "K", "h", "w");
            }
            return SlotMasks.each(masks);
        }
        List<List<SlotMasks>> attention = attention();
        if (attention.isEmpty()) {
            throw new IllegalArgumentException(
                    who
                            + ": the model must give an output named masks, feature_attributions or"
                            + " attentions, got "
                            + describe());
        }
        return attention.stream().map(steps -> steps.get(steps.size() - 1)).toList();
    }

    private List<String> describe() {
        List<String> outputs = new ArrayList<>();
        for (int i = 0; i < list.size(); i++) {
            outputs.add(name(i) + " " + list.get(i).getShape());
        }
        return outputs;
    }

    /** For each image the attention of each iteration. */
    List<List<SlotMasks>> attention() {
        String what = AttentionTrace.ATTENTIONS;
        NDArray attentions = find(what);
        if (attentions == null) {
            what = PerceptualGroupingOutput.FEATURE_ATTRIBUTIONS;
            NDArray last = find(what);
            if (last == null) {
                return List.of();
            }
            return SlotMasks.each(onGrid(what, last)).stream().map(List::of).toList();
        }
        Shape shape = attentions.getShape();
        Check.shape(who, what, shape, batch, "T", "K", "N");
        int times = (int) shape.get(1);
        NDArray flat = attentions.reshape(batch * times, shape.get(2), shape.get(3));
        List<SlotMasks> all = SlotMasks.each(grid(what, flat));
        List<List<SlotMasks>> images = new ArrayList<>();
        for (int b = 0; b < batch; b++) {
            images.add(all.subList(b * times, (b + 1) * times));
        }
        return images;
    }

    private NDArray onGrid(String what, NDArray maps) {
        Check.shape(who, what, maps.getShape(), batch, "K", "N");
        return grid(what, maps);
    }

    /** (B, K, h, w) of (B, K, N). */
    private NDArray grid(String what, NDArray maps) {
        Shape shape = maps.getShape();
        long n = shape.get(2);
        long rows = options.gridHeight();
        if (rows == 0) {
            // h w = n and h / w = H / W
            rows =
                    Math.max(
                            1,
                            Math.round(Math.sqrt(n * (double) options.height() / options.width())));
        }
        long columns = options.gridHeight() == 0 ? n / rows : options.gridWidth();
        if (rows * columns != n) {
            throw new IllegalArgumentException(
                    who
                            + ": "
                            + what
                            + " of "
                            + n
                            + " features are no grid of "
                            + rows
                            + " x "
                            + columns
                            + "; optFeatureGrid says which");
        }
        return maps.reshape(shape.get(0), shape.get(1), rows, columns);
    }

    List<float[][]> slots() {
        NDArray objects = find(PerceptualGroupingOutput.OBJECTS);
        if (objects == null) {
            return List.of();
        }
        Shape shape = objects.getShape();
        Check.shape(who, PerceptualGroupingOutput.OBJECTS, shape, batch, "K", "D");
        float[] values = SlotMasks.floats(objects);
        int slots = (int) shape.get(1);
        int dim = (int) shape.get(2);
        List<float[][]> images = new ArrayList<>();
        for (int b = 0; b < batch; b++) {
            float[][] rows = new float[slots][];
            for (int k = 0; k < slots; k++) {
                int from = (b * slots + k) * dim;
                rows[k] = Arrays.copyOfRange(values, from, from + dim);
            }
            images.add(rows);
        }
        return images;
    }

    List<List<Image>> slotImages(float[] mean, float[] deviation) {
        NDArray images = find(SlotDecoding.SLOT_IMAGES);
        if (images == null) {
            return List.of();
        }
        Check.shape(who, SlotDecoding.SLOT_IMAGES, images.getShape(), batch, "K", 3, "h", "w");
        int slots = (int) images.getShape().get(1);
        List<Image> all = images(images, mean, deviation);
        List<List<Image>> each = new ArrayList<>();
        for (int b = 0; b < batch; b++) {
            each.add(all.subList(b * slots, (b + 1) * slots));
        }
        return each;
    }

    List<Image> reconstructions(float[] mean, float[] deviation) {
        NDArray images = find(SlotDecoding.RECONSTRUCTION);
        boolean features = images != null && images.getShape().dimension() == 3;
        if (images == null || features) {
            return List.of();
        }
        Check.shape(who, SlotDecoding.RECONSTRUCTION, images.getShape(), batch, 3, "h", "w");
        return images(images, mean, deviation);
    }

    private static List<Image> images(NDArray images, float[] mean, float[] deviation) {
        return Pixels.each(images, mean, deviation).stream().map(Pixels::image).toList();
    }
}
