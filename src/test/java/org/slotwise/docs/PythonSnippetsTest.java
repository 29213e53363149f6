package org.slotwise.docs;

import static org.junit.jupiter.api.Assertions.assertEquals;

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
import org.slotwise.testing.Python;

/**
 * Runs the Python snippets of docs/interop.md, one after the other in one folder, where {@code
 * -Dslotwise.python} or else {@code python3} has torch, numpy and safetensors. Those that need
 * TensorFlow, or timm and the network, are compiled only.
 */
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
        List<String> snippets = snippets();
        assertEquals(5, snippets.size());
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
}
