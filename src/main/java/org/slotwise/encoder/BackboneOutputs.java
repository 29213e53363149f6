package org.slotwise.encoder;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Scalars;

/**
 * What a network gives for images: its outputs by name, which of them the features are, and how
 * those lie in the image.
 *
 * @param layout how the features lie
 * @param shapes the shapes of the outputs as features, for {@link BackboneNetwork#PROBE} images:
 *     the main output first
 */
record BackboneOutputs(TokenLayout layout, Map<String, Shape> shapes) {

    /**
     * Makes sense of what a network gave.
     *
     * @param found the shapes of its outputs for {@link BackboneNetwork#PROBE} images
     * @param asked which output the features are, or null to find out
     * @param prefixTokens how many tokens come before the patches, or null to find out
     * @param vectors whether the features may be a vector for each image
     */
    static BackboneOutputs of(
            String who,
            Map<String, Shape> found,
            @Nullable String asked,
            @Nullable Integer prefixTokens,
            boolean vectors,
            int height,
            int width)
            throws MalformedModelException {
        String output = BackboneNetwork.main(who, asked, found);
        Shape main = found.getOrDefault(output, new Shape());
        boolean vector = vectors && TokenLayout.isVector(main);
        if (!(vector || TokenLayout.fits(main)) || main.get(0) != BackboneNetwork.PROBE) {
            throw new MalformedModelException(
                    who
                            + ": output "
                            + output
                            + " must be tokens (B, N, F) or maps (B, F, h, w)"
                            + (vectors ? " or vectors (B, F)" : "")
                            + ", for 2 images got "
                            + main);
        }
        TokenLayout layout =
                vector ? TokenLayout.WHOLE : TokenLayout.of(main, height, width, prefixTokens);
        if (layout == null) {
            throw new MalformedModelException(
                    who
                            + ": "
                            + main.get(1)
                            + " tokens"
                            + (prefixTokens == null
                                    ? ""
                                    : " of which " + prefixTokens + " come before patches")
                            + " are no grid of square patches of an image of "
                            + height
                            + " by "
                            + width);
        }
        Map<String, Shape> shapes = new LinkedHashMap<>();
        shapes.put(output, vector ? new Shape(main.get(0), 1, main.get(1)) : layout.features(main));
        found.forEach((name, shape) -> shapes.putIfAbsent(name, layout.features(shape)));
        return new BackboneOutputs(layout, shapes);
    }

    /** The name of the main output. */
    String main() {
        return shapes.keySet().iterator().next();
    }

    /** The size of a feature. */
    int featureDim() {
        return Math.toIntExact(shapes.values().iterator().next().get(2));
    }

    /** The shapes of features, positions and the other outputs. */
    Shape[] announced(long batch) {
        Shape[] result = new Shape[shapes.size() + 1];
        int i = 0;
        for (Shape shape : shapes.values()) {
            long[] sizes = shape.getShape().clone();
            if (sizes.length > 0 && sizes[0] == BackboneNetwork.PROBE) {
                sizes[0] = batch;
            }
            result[i] = new Shape(sizes);
            i += i == 0 ? 2 : 1; // the positions come second
        }
        result[1] = new Shape(layout.count(), 2);
        return result;
    }

    /**
     * Features, positions and the other outputs, in memory of their own: neither views, nor of the
     * engine's inference mode.
     */
    NDList arrays(String who, Map<String, NDArray> given, NDArray images) {
        NDList all = new NDList();
        for (String name : shapes.keySet()) {
            NDArray array = given.get(name);
            if (array == null) {
                throw new IllegalStateException(who + ": the network gave no output " + name);
            }
            NDArray features =
                    all.isEmpty() && TokenLayout.isVector(array.getShape())
                            ? array.expandDims(1)
                            : layout.features(array);
            boolean recorded = NoGraph.isRecording() && features.getDataType().isFloating();
            all.add(
                    recorded
                            ? features.add(Scalars.like(features, 0))
                            : Scalars.ownMemory(features));
            if (all.size() == 1) {
                all.add(FeatureMap.positions(images, layout.height(), layout.width()));
            }
        }
        return all;
    }

    /** The record of what {@link #arrays} made. */
    FeatureExtractorOutput named(NDList arrays) {
        Map<String, NDArray> others = new LinkedHashMap<>();
        int i = 2;
        for (String name : shapes.keySet()) {
            if (!name.equals(main())) {
                others.put(name, arrays.get(i++));
            }
        }
        return new FeatureExtractorOutput(arrays.get(0), arrays.get(1), others);
    }
}
