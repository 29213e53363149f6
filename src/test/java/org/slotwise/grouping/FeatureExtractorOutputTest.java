package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

@ExtendWith(OnDevice.class)
class FeatureExtractorOutputTest {

    @Test
    void videosIterateByFrame(NDManager manager) {
        NDArray video = Tensors.normal(manager, 1, 2, 3, 5, 4);
        NDArray positions = Tensors.normal(manager, 2, 5, 2);
        NDArray inTime = Tensors.normal(manager, 3, 2, 3, 5, 7);
        // Neither is of these frames: another rank, another batch, as many frames as of another.
        Map<String, NDArray> others =
                Map.of(
                        "whole", Tensors.normal(manager, 4, 2, 9),
                        "rank", Tensors.normal(manager, 5, 2, 3, 5),
                        "batch", Tensors.normal(manager, 6, 1, 3, 5, 7),
                        "frames", Tensors.normal(manager, 7, 2, 4, 5, 7));
        Map<String, NDArray> aux = new HashMap<>(others);
        aux.put("in time", inTime);
        FeatureExtractorOutput output = new FeatureExtractorOutput(video, positions, aux);
        assertTrue(output.isVideo());
        List<FeatureExtractorOutput> frames = output.frames();
        assertEquals(3, frames.size());
        for (int t = 0; t < 3; t++) {
            FeatureExtractorOutput frame = frames.get(t);
            assertClose("frame", video.get(":, " + t), frame.features(), 0);
            assertSame(positions, frame.positions());
            assertClose("aux", inTime.get(":, " + t), frame.auxFeatures().get("in time"), 0);
            others.forEach((name, a) -> assertSame(a, frame.auxFeatures().get(name), name));
        }
        assertThrows(UnsupportedOperationException.class, () -> frames.remove(0));
    }

    @Test
    void gradientsFlowThroughFrames(NDManager manager) {
        NDArray video = Tensors.normal(manager, 1, 2, 3, 5, 4);
        video.setRequiresGradient(true);
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            NDArray frame = new FeatureExtractorOutput(video).frames().get(1).features();
            collector.backward(frame.sum());
        }
        NDArray g = video.getGradient();
        assertEquals(0, Tensors.largest(g.get(":, 0")));
        assertClose("frame 1", manager.ones(new Shape(2, 5, 4)), g.get(":, 1"), 0);
    }

    @Test
    void anImageIsItsOnlyFrame(NDManager manager) {
        FeatureExtractorOutput output =
                new FeatureExtractorOutput(Tensors.normal(manager, 1, 2, 5, 4));
        assertFalse(output.isVideo());
        assertEquals(List.of(output), output.frames());
    }

    @Test
    void toAndFromList(NDManager manager) {
        NDArray features = Tensors.normal(manager, 1, 2, 5, 4);
        NDArray positions = Tensors.normal(manager, 2, 5, 2);
        NDArray aux = Tensors.normal(manager, 3, 1);
        FeatureExtractorOutput output =
                new FeatureExtractorOutput(features, positions, Map.of("layer.11", aux));
        NDList list = output.toNDList();
        assertEquals(
                List.of("features", "positions", "aux_features.layer.11"),
                list.stream().map(NDArray::getName).toList());
        NDList shuffled = new NDList(list.get(2), list.get(1), list.get(0));
        FeatureExtractorOutput read = FeatureExtractorOutput.from(shuffled);
        assertSame(features, read.features());
        assertSame(positions, read.positions());
        assertSame(aux, read.auxFeatures().get("layer.11"));
    }

    @Test
    void unnamedListsGoByOrder(NDManager manager) {
        NDArray features = Tensors.normal(manager, 1, 2, 5, 4);
        NDArray positions = Tensors.normal(manager, 2, 5, 2);
        assertNull(FeatureExtractorOutput.from(new NDList(features)).positions());
        FeatureExtractorOutput both = FeatureExtractorOutput.from(new NDList(features, positions));
        assertSame(features, both.features());
        assertSame(positions, both.positions());
        assertRefused(
                "FeatureExtractorOutput: expected inputs [features, positions], got 3 arrays",
                () -> FeatureExtractorOutput.from(new NDList(features, positions, positions)));
        assertRefused(
                "FeatureExtractorOutput: features is missing",
                () -> FeatureExtractorOutput.from(new NDList()));
    }

    @Test
    void wrongShapes(NDManager manager) {
        assertRefused(
                "FeatureExtractorOutput: features must be (B, N, F) or (B, T, N, F), got (2, 5)",
                () -> new FeatureExtractorOutput(Tensors.normal(manager, 1, 2, 5)));
        assertRefused(
                "FeatureExtractorOutput: positions must be (5, spatial dimensions), got (4, 2)",
                () ->
                        new FeatureExtractorOutput(
                                Tensors.normal(manager, 1, 2, 5, 4),
                                Tensors.normal(manager, 1, 4, 2)));
        assertRefused(
                "FeatureExtractorOutput: positions must be (5, spatial dimensions), got (5, 2, 1)",
                () ->
                        new FeatureExtractorOutput(
                                Tensors.normal(manager, 1, 2, 3, 5, 4),
                                Tensors.normal(manager, 1, 5, 2, 1)));
    }

    @Test
    void auxFeaturesAreTheRecordsOwn(NDManager manager) {
        Map<String, NDArray> aux = new HashMap<>();
        FeatureExtractorOutput output =
                new FeatureExtractorOutput(Tensors.normal(manager, 1, 2, 5, 4), null, aux);
        aux.put("later", Tensors.normal(manager, 1, 1));
        assertTrue(output.auxFeatures().isEmpty());
        assertThrows(
                UnsupportedOperationException.class,
                () -> output.auxFeatures().put("x", output.features()));
    }
}
