package org.slotwise.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.training.ParameterStore;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;
import org.slotwise.torchscript.TorchScript;

@ExtendWith(OnDevice.class)
class PatchColoursTest {

    @ParameterizedTest
    @CsvSource({"1, 1, 32", "1, 5, 32", "2, 1, 33", "2, 3, 33", "4, 3, 30"})
    void areTheSameInTorchScript(
            int size, int around, int side, NDManager manager, @TempDir Path folder)
            throws Exception {
        PatchColours colours = new PatchColours(size, around);
        NDArray images = Tensors.uniform(manager, 1, DataType.FLOAT32, 2, 3, side, side);
        TorchScript.of(colours.script()).write(folder.resolve("colours.pt"));
        try (Model model = Model.newInstance("colours", OnDevice.device(), "PyTorch")) {
            model.load(folder, "colours.pt", Map.of());
            NDArray found =
                    model.getBlock()
                            .forward(new ParameterStore(manager, false), new NDList(images), false)
                            .head();
            long patches = (side + size - 1L) / size;
            assertEquals(patches * patches, found.getShape().get(1));
            Tensors.assertClose("colours", colours.of(images), found, 1e-6);
        }
    }
}
