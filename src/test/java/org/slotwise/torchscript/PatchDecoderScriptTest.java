package org.slotwise.torchscript;

import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.normal;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slotwise.decoder.FeatureDecoding;
import org.slotwise.decoder.PatchDecoder;
import org.slotwise.testing.OnDevice;

/** The decoder of features as TorchScript, slot by slot as the paper has it. */
@ExtendWith(OnDevice.class)
@ResourceLock("engine")
class PatchDecoderScriptTest {

    @ParameterizedTest
    @CsvSource({"false, 2", "true, 1", "false, 0"})
    void givesTheSame(boolean transformed, int layers, NDManager manager, @TempDir Path folder)
            throws Exception {
        PatchDecoder.Builder builder =
                PatchDecoder.builder()
                        .setSlotDim(6)
                        .setFeatureDim(5)
                        .setPatches(7)
                        .optHidden(Arrays.copyOf(new int[] {8, 9}, layers));
        PatchDecoder decoder = (transformed ? builder.optInputDim(4) : builder).build();
        decoder.initialize(manager, DataType.FLOAT64, new Shape(1, 3, 6));
        int seed = 0;
        for (Parameter parameter : decoder.getParameters().values()) {
            NDArray value = parameter.getArray();
            value.addi(normal(manager, ++seed, DataType.FLOAT64, value.getShape().getShape()));
        }
        NDArray slots = normal(manager, 20, DataType.FLOAT64, 2, 3, 6);
        ParameterStore store = new ParameterStore(manager, false);
        FeatureDecoding expected = decoder.decode(store, slots, false);
        TorchScript.of(decoder).write(folder.resolve("block.pt"));
        try (Model model = Model.newInstance("module", OnDevice.device(), "PyTorch")) {
            model.load(folder, "block.pt", Map.of());
            NDList out = model.getBlock().forward(store, new NDList(slots.duplicate()), false);
            assertClose(
                    "reconstruction", expected.reconstruction(), out.get("reconstruction"), 1e-10);
            assertClose("masks", expected.masks(), out.get("masks"), 1e-10);
        }
    }
}
