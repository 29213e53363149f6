package org.slotwise.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A module of a user's own requires the library: docs/modules/every-block.md says what it needs.
 */
class ModulePathIT {

    private static final Path JARS = Path.of("target", "lib").toAbsolutePath();

    private static final String MODULE =
            """
            module user {
                requires org.slotwise;
                requires ai.djl.api;
                requires org.slf4j;
                requires com.google.gson;
            }
            """;

    private static final String MAIN =
            """
            package user;
            import ai.djl.ndarray.*;
            import ai.djl.ndarray.types.*;
            import ai.djl.training.ParameterStore;
            import org.slotwise.grouping.SlotAttention;
            public class Main {
                public static void main(String[] args) {
                    try (NDManager manager = NDManager.newBaseManager()) {
                        NDList in = new NDList(
                                manager.ones(new Shape(1, 5, 3)), manager.ones(new Shape(1, 2, 4)));
                        SlotAttention block =
                                SlotAttention.builder().setDim(4).setFeatureDim(3).build();
                        block.initialize(manager, DataType.FLOAT32, in.getShapes());
                        NDArray slots =
                                block.forward(new ParameterStore(manager, false), in, false).head();
                        System.out.println("slots " + slots.getShape());
                    }
                }
            }
            """;

    @TempDir private Path folder;

    /** libtorch's name is no module's, and the others require what nobody else needs. */
    private static boolean isOnTheClassPath(Path jar) {
        String name = jar.getFileName().toString();
        return name.startsWith("pytorch-native") || name.startsWith("commons-compress");
    }

    private static String jars(boolean onTheClassPath) throws IOException {
        try (Stream<Path> all = Files.list(JARS)) {
            return all.filter(jar -> !jar.getFileName().toString().startsWith("slotwise-examples"))
                    .filter(jar -> isOnTheClassPath(jar) == onTheClassPath)
                    .map(Path::toString)
                    .collect(Collectors.joining(File.pathSeparator));
        }
    }

    private String run(List<String> command) throws IOException, InterruptedException {
        File printed = folder.resolve("printed").toFile();
        Process process =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(printed)
                        .start();
        int exitCode = process.waitFor();
        String out = Files.readString(printed.toPath());
        assertEquals(0, exitCode, out);
        return out;
    }

    @Test
    void compilesAndRuns() throws IOException, InterruptedException {
        Path source = Files.createDirectories(folder.resolve("src/user"));
        Path module = Files.writeString(folder.resolve("src/module-info.java"), MODULE);
        Path main = Files.writeString(source.resolve("Main.java"), MAIN);
        String bin = Path.of(System.getProperty("java.home"), "bin").toString() + File.separator;
        String classes = folder.resolve("classes").toString();
        run(
                List.of(
                        bin + "javac",
                        "--module-path",
                        jars(false),
                        "-d",
                        classes,
                        module.toString(),
                        main.toString()));
        String out =
                run(
                        List.of(
                                bin + "java",
                                "-Dai.djl.offline=true",
                                "--module-path",
                                classes + File.pathSeparator + jars(false),
                                "-cp",
                                jars(true),
                                "-m",
                                "user/user.Main"));
        assertTrue(out.contains("slots (1, 2, 4)"), out);
    }
}
