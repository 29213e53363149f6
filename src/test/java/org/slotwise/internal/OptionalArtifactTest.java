package org.slotwise.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** This library on a class path without what it declares as optional. */
class OptionalArtifactTest {

    @TempDir Path folder;

    /** Loads the library's classes once more, and has nothing of some packages. */
    private static final class Lacking extends ClassLoader {
        Lacking() {
            super(OptionalArtifactTest.class.getClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            for (String missing :
                    new String[] {
                        "io.jhdf.",
                        "com.google.protobuf.",
                        "org.duckdb.",
                        "me.tongfei.",
                        "ai.djl.onnxruntime.",
                        "com.twelvemonkeys.imageio.plugins.webp."
                    }) {
                if (name.startsWith(missing)) {
                    throw new ClassNotFoundException(name);
                }
            }
            if (!name.startsWith("org.slotwise.")) {
                return super.loadClass(name, resolve);
            }
            synchronized (getClassLoadingLock(name)) {
                Class<?> loaded = findLoadedClass(name);
                return loaded != null ? loaded : define(name);
            }
        }

        private Class<?> define(String name) throws ClassNotFoundException {
            try (InputStream in =
                    getParent().getResourceAsStream(name.replace('.', '/') + ".class")) {
                if (in == null) {
                    throw new ClassNotFoundException(name);
                }
                byte[] bytes = in.readAllBytes();
                return defineClass(name, bytes, 0, bytes.length);
            } catch (IOException e) {
                throw new ClassNotFoundException(name, e);
            }
        }
    }

    private final ClassLoader lacking = new Lacking();

    private Class<?> type(String name) throws ClassNotFoundException {
        return lacking.loadClass("org.slotwise." + name);
    }

    private static Object call(Object on, String name, Object... arguments) throws Exception {
        for (Method method : on.getClass().getMethods()) {
            if (method.getName().equals(name) && method.getParameterCount() == arguments.length) {
                return method.invoke(on, arguments);
            }
        }
        throw new AssertionError(name);
    }

    private static void assertMissing(String message, InvocationTargetException e) {
        assertInstanceOf(IllegalStateException.class, e.getCause());
        assertEquals(message, e.getCause().getMessage());
    }

    @Test
    void hdf5NeedsJhdf() throws Exception {
        Object builder = type("data.file.Hdf5Scenes").getMethod("builder").invoke(null);
        call(builder, "setFile", Files.createFile(folder.resolve("a.h5")));
        call(builder, "setImages", "image");
        assertMissing(
                "Hdf5Scenes: HDF5 files need jHDF: add io.jhdf:jhdf to the class path",
                assertThrows(InvocationTargetException.class, () -> call(builder, "build")));
    }

    @Test
    void tfRecordsNeedProtobuf() throws Exception {
        Class<?> format = type("data.file.SceneFormat");
        Object tetrominoes = format.getField("TETROMINOES").get(null);
        var constructor = type("data.file.TfRecordScenes").getConstructor(format, Path.class);
        assertMissing(
                "TfRecordScenes: TFRecord files need protobuf: add"
                        + " com.google.protobuf:protobuf-java to the class path",
                assertThrows(
                        InvocationTargetException.class,
                        () -> constructor.newInstance(tetrominoes, folder)));
    }

    @Test
    void parquetNeedsDuckDb() throws Exception {
        Path file = Files.writeString(folder.resolve("a.parquet"), "PAR1");
        Object builder = type("data.file.ParquetScenes").getMethod("builder").invoke(null);
        call(builder, "setFiles", List.of(file));
        call(builder, "setSize", 1, 1);
        assertMissing(
                "ParquetScenes: Parquet files need DuckDB: add org.duckdb:duckdb_jdbc to the class"
                        + " path",
                assertThrows(InvocationTargetException.class, () -> call(builder, "build")));
        Object any = type("data.file.SceneFiles").getMethod("builder").invoke(null);
        call(any, "setPath", file);
        call(any, "setSize", 1, 1);
        assertMissing(
                "SceneFiles: Parquet files need DuckDB: add org.duckdb:duckdb_jdbc to the class"
                        + " path",
                assertThrows(InvocationTargetException.class, () -> call(any, "build")));
        call(any, "setPath", Files.writeString(folder.resolve("b"), "nothing that is known"));
        assertInstanceOf(
                IOException.class,
                assertThrows(InvocationTargetException.class, () -> call(any, "build")).getCause());
    }

    @Test
    void allElseDoesWithout() throws Exception {
        for (Object artifact : type("internal.OptionalArtifact").getEnumConstants()) {
            assertEquals(false, call(artifact, "isThere"), artifact.toString());
        }
        for (OptionalArtifact artifact : OptionalArtifact.values()) {
            assertTrue(artifact.isThere(), artifact.toString());
        }
        Object listener =
                type("training.ProgressListener")
                        .getConstructor(long.class, long.class, Duration.class, String[].class)
                        .newInstance(3L, 0L, Duration.ofMinutes(1), new String[0]);
        call(listener, "close");
        assertEquals(
                "PretrainedBackbone: a.onnx needs DJL's engine OnnxRuntime: add"
                        + " ai.djl.onnxruntime:onnxruntime-engine to the class path",
                OptionalArtifact.ONNX
                        .missing("PretrainedBackbone", "a.onnx needs DJL's engine OnnxRuntime")
                        .getMessage());
    }
}
