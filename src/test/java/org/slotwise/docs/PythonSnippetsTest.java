package org.slotwise.docs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.slotwise.grouping.SlotAttention;
import org.slotwise.layer.FeedForward;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Python;
import org.slotwise.torchscript.TorchScript;

/**
 * Runs the Python snippets of docs/interop.md, one after the other in one folder, where {@code
 * -Dslotwise.python} or else {@code python3} has torch, numpy and safetensors. Those that need
 * TensorFlow, or timm and the network, are compiled only.
 */
@ResourceLock("engine")
class PythonSnippetsTest {

    private static final Pattern BLOCK = Pattern.compile("```python\n(.*?)```", Pattern.DOTALL);
    private static final Pattern MORE =
            Pattern.compile("^import (tensorflow|timm)", Pattern.MULTILINE);

    private static List<String> snippets() throws IOException {
        Matcher block = BLOCK.matcher(Files.readString(Path.of("docs", "interop.md")));
        List<String> snippets = new ArrayList<>();
        while (block.find()) {
            snippets.add(block.group(1));
        }
        return snippets;
    }

    @Test
    void theyRun(@TempDir Path folder) throws IOException, InterruptedException {
        Python.assumeModules(folder, "numpy, safetensors.torch, torch");
        try (InputStream checkpoint = getClass().getResourceAsStream(SnippetsTest.CHECKPOINT)) {
            Files.copy(checkpoint, folder.resolve("model.ckpt"));
        }
        Files.copy(folder.resolve("model.ckpt"), folder.resolve("model.pt"));
        writeSlots(folder.resolve("slots.pt"));
        List<String> snippets = snippets();
        assertEquals(6, snippets.size());
        for (int i = 0; i < snippets.size(); i++) {
            String name = "snippet" + i + ".py";
            Files.writeString(folder.resolve(name), snippets.get(i));
            int status =
                    MORE.matcher(snippets.get(i)).find()
                            ? Python.status(folder, "-m", "py_compile", name)
                            : Python.status(folder, name);
            String output = Files.readString(folder.resolve("output.txt"));
            assertEquals(0, status, () -> "\n" + output);
        }
    }

    /** What the Java beside a snippet writes. */
    private static void writeSlots(Path file) throws IOException {
        try (NDManager manager = NDManager.newBaseManager(OnDevice.device(), "PyTorch")) {
            SlotAttention slots =
                    SlotAttention.builder()
                            .setDim(64)
                            .setFeatureDim(32)
                            .optFeedForward(new FeedForward(64, 128))
                            .build();
            slots.initialize(
                    manager, DataType.FLOAT32, new Shape(-1, -1, 32), new Shape(-1, -1, 64));
            TorchScript.of(slots).write(file);
        }
    }
}
