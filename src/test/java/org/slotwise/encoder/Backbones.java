package org.slotwise.encoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.slotwise.testing.OnDevice;

/** The networks that src/test/python/make_backbones.py wrote, and what they gave there. */
final class Backbones {

    static final Path FOLDER = Path.of("src/test/resources/backbone");

    private Backbones() {}

    /** A backbone for images of 16 by 24, on the device of the tests. */
    static PretrainedBackbone.Builder tiny(String file) {
        PretrainedBackbone.Builder builder =
                PretrainedBackbone.builder().setFile(FOLDER.resolve(file)).setImageSize(16, 24);
        // The engine for ONNX may know no GPU: it chooses itself, and takes images from anywhere.
        return file.endsWith(".onnx") ? builder : builder.optDevice(OnDevice.device());
    }

    /** The tensors beside a network, by name. */
    static Map<String, NDArray> tensors(NDManager manager, String name) {
        Map<String, NDArray> arrays = new LinkedHashMap<>();
        try (InputStream in = Files.newInputStream(FOLDER.resolve(name + ".npz"))) {
            for (NDArray array : NDList.decode(manager, in)) {
                arrays.put(array.getName(), array);
                array.setName(null);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return arrays;
    }
}
