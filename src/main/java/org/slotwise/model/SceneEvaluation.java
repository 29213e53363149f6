package org.slotwise.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.slotwise.data.Scene;
import org.slotwise.data.Scenes;
import org.slotwise.image.SlotMasks;
import org.slotwise.internal.Check;
import org.slotwise.internal.Ops;
import org.slotwise.metric.AdjustedRandIndex;
import org.slotwise.metric.Background;
import org.slotwise.metric.MeanBestOverlap;
import org.slotwise.metric.MeanIntersectionOverUnion;
import org.slotwise.metric.SegmentationEvaluator;

/** Scores a model on scenes whose masks are known. */
final class SceneEvaluation {

    private static final String WHO = "ObjectDiscoveryModel";
    private static final int BATCH = 32;
    private static final String ALL = "all scenes";

    private final ObjectDiscovery block;
    private final NDManager parent;
    private final DataType type;
    private final List<SegmentationEvaluator> evaluators =
            List.of(
                    new SegmentationEvaluator(new AdjustedRandIndex(Background.LEFT_OUT)),
                    new SegmentationEvaluator(new AdjustedRandIndex(Background.COUNTED)),
                    new SegmentationEvaluator(new MeanBestOverlap(Background.LEFT_OUT)),
                    new SegmentationEvaluator(new MeanIntersectionOverUnion(Background.LEFT_OUT)));
    private double errors;

    SceneEvaluation(ObjectDiscovery block, NDManager parent, DataType type) {
        this.block = block;
        this.parent = parent;
        this.type = type;
    }

    SegmentationScores of(Scenes scenes) throws IOException {
        Check.option(scenes.size() > 0, WHO + ": there are no scenes to score");
        evaluators.forEach(evaluator -> evaluator.addAccumulator(ALL));
        for (long from = 0; from < scenes.size(); from += BATCH) {
            long to = Math.min(from + BATCH, scenes.size());
            List<Scene> batch = new ArrayList<>();
            for (long i = from; i < to; i++) {
                batch.add(sized(scenes.get(i), i));
            }
            try (NDManager manager = parent.newSubManager()) {
                score(manager, batch);
            }
        }
        return new SegmentationScores(
                evaluators.get(0).getAccumulator(ALL),
                evaluators.get(1).getAccumulator(ALL),
                evaluators.get(2).getAccumulator(ALL),
                evaluators.get(3).getAccumulator(ALL),
                errors / scenes.size(),
                scenes.size());
    }

    /** A scene at the model's size. */
    private Scene sized(Scene scene, long index) {
        Check.option(scene.hasMask(), WHO + ": scene " + index + " has no mask to be scored by");
        return block.madeFrom().fitted(scene);
    }

    private void score(NDManager manager, List<Scene> scenes) {
        int height = block.madeFrom().imageHeight();
        int width = block.madeFrom().imageWidth();
        NDArray images =
                SceneImages.of(
                        manager, scenes.stream().map(Scene::image).toList(), height, width, type);
        ObjectDiscoveryOutput out =
                block.discover(new ParameterStore(manager, false), images, false);
        NDArray target = out.target() == null ? images : out.target();
        errors += scenes.size() * Ops.read(out.reconstruction().sub(target).square().mean())[0];
        NDList predicted = new NDList(groups(out.masks(), height, width));
        NDList truth = new NDList(truth(manager, scenes, height * width));
        evaluators.forEach(e -> e.updateAccumulator(ALL, truth, predicted));
    }

    /** Masks at the images' size; where they are of features, the slot that each pixel is of. */
    private NDArray groups(NDArray masks, int height, int width) {
        if (masks.getShape().dimension() == 4) {
            return masks;
        }
        Shape grid = block.featureGrid();
        Shape s = masks.getShape();
        NDArray maps = masks.reshape(s.get(0), s.get(1), grid.get(0), grid.get(1));
        List<SlotMasks> each = SlotMasks.each(maps);
        long[] winners = new long[each.size() * height * width];
        int at = 0;
        for (SlotMasks one : each) {
            for (int winner : one.winners(height, width)) {
                winners[at++] = winner;
            }
        }
        return masks.getManager()
                .create(winners, new Shape(each.size(), (long) height * width))
                .toDevice(masks.getDevice(), false);
    }

    private static NDArray truth(NDManager manager, List<Scene> scenes, int pixels) {
        long[] labels = new long[scenes.size() * pixels];
        int at = 0;
        for (Scene scene : scenes) {
            int nothing = scene.voidLabel().orElse(-1);
            for (byte label : scene.mask()) {
                int number = label & 0xff;
                labels[at++] = number == nothing ? -1 : number;
            }
        }
        return manager.create(labels, new Shape(scenes.size(), pixels));
    }
}
