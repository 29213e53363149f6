package org.slotwise.decoder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.decoder.BroadcastArchitecture.Layer;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;
import org.slotwise.torchscript.TorchScript;

/**
 * The decoder as one call of the engine is the decoder layer by layer. A store that copies
 * parameters leaves only the latter.
 */
@ExtendWith(OnDevice.class)
class BroadcastScriptTest {

    private static final int DIM = 6;
    private static final int PASSES = 5;

    static Stream<BroadcastArchitecture> architectures() {
        Layer last = Layer.convolution(4, 3);
        return Stream.of(
                // much larger than the kernel, and not square
                of(35, 35, Layer.convolution(5, 5), last),
                of(7, 12, Layer.convolution(5, 5), last),
                // the kernel's own size, and one axis of it
                of(5, 5, Layer.convolution(5, 5), last),
                of(5, 9, Layer.convolution(5, 5), last),
                // smaller than the kernel
                of(3, 9, Layer.convolution(5, 5), last),
                of(1, 1, Layer.convolution(3, 1), last),
                of(4, 6, Layer.convolution(3, 1), last),
                // alone, and transposed
                of(6, 8, last),
                of(4, 3, Layer.transposed(5, 5, 2), last),
                of(4, 3, Layer.transposed(5, 5, 1), Layer.transposed(4, 3, 1)));
    }

    private static BroadcastArchitecture of(int height, int width, Layer... layers) {
        return new BroadcastArchitecture(height, width, List.of(layers));
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void computesTheSame(BroadcastArchitecture architecture, NDManager manager) {
        for (DataType type : new DataType[] {DataType.FLOAT32, DataType.FLOAT64}) {
            for (boolean joined : new boolean[] {false, true}) {
                SpatialBroadcastDecoder decoder =
                        SpatialBroadcastDecoder.builder()
                                .setSlotDim(DIM)
                                .setArchitecture(architecture)
                                .optJoinedGrid(joined)
                                .optNegativeSlope(joined ? 0.1 : 0)
                                .build();
                decoder.initialize(manager, type, new Shape(1, 1, DIM));
                NDArray slots = Tensors.normal(manager, 3, type, 2, 3, DIM);
                for (boolean training : new boolean[] {false, true}) {
                    NDList whole =
                            decoder.decode(new ParameterStore(manager, false), slots, training)
                                    .toNDList();
                    NDList byLayers =
                            decoder.decode(new ParameterStore(manager, true), slots, training)
                                    .toNDList();
                    double tolerance = type == DataType.FLOAT64 ? 1e-12 : 1e-5;
                    for (int i = 0; i < whole.size(); i++) {
                        String name = whole.get(i).getName();
                        Tensors.assertClose(name, byLayers.get(i), whole.get(i), tolerance);
                        assertTrue(name.equals(byLayers.get(i).getName()), name);
                    }
                }
            }
        }
    }

    /**
     * The engine optimises what it has seen a few times, and gradients must go through that too.
     */
    @ParameterizedTest
    @MethodSource("architectures")
    void aFileCanBeTrainedOnAndOn(
            BroadcastArchitecture architecture, NDManager manager, @TempDir Path folder)
            throws Exception {
        SpatialBroadcastDecoder decoder =
                SpatialBroadcastDecoder.builder()
                        .setSlotDim(DIM)
                        .setArchitecture(architecture)
                        .build();
        decoder.initialize(manager, DataType.FLOAT32, new Shape(1, 1, DIM));
        TorchScript.of(decoder).write(folder.resolve("decoder.pt"));
        NDArray slots = Tensors.normal(manager, 3, DataType.FLOAT32, 2, 3, DIM);
        try (Model model = Model.newInstance("module", OnDevice.device(), "PyTorch")) {
            model.load(folder, "decoder.pt", Map.of("trainParam", "true"));
            Parameter weight = model.getBlock().getDirectParameters().get("decoder.0.weight");
            ParameterStore store = new ParameterStore(manager, false);
            float[] first = null;
            for (int i = 0; i < PASSES; i++) {
                try (GradientCollector collector =
                        Engine.getEngine("PyTorch").newGradientCollector()) {
                    NDList out = model.getBlock().forward(store, new NDList(slots), true);
                    collector.backward(out.get("reconstruction").square().sum());
                }
                float[] gradient = weight.getArray().getGradient().toFloatArray();
                first = first == null ? gradient : first;
                float times = i + 1f; // gradients are added up
                for (int j = 0; j < gradient.length; j++) {
                    assertEquals(
                            first[j] * times,
                            gradient[j],
                            1e-3f * (1 + times * Math.abs(first[j])));
                }
            }
        }
    }
}
