package org.slotwise.docs;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Compiles and runs every Java snippet of README.md and docs. A snippet is a list of statements,
 * with its own imports above them if it shows any. Files that it names by {@code Path.of} are in a
 * temporary folder, where a checkpoint, model.ckpt, a picture, picture.png, a folder of them,
 * pictures, pictures with masks, my-pictures, and the programs' sprites-diffusion.safetensors lie
 * too.
 */
class SnippetsTest {

    private static final Pattern BLOCK = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);

    /** What the docs call model.ckpt. */
    static final String CHECKPOINT = "/weights/checkpoint_oclf.ckpt";

    /** What lies in the folder as "vit.pt". */
    private static final Path NETWORK = Path.of("src/test/resources/backbone/vit.pt");

    /** What lies in the folder "pictures". */
    private static final Path PICTURE = Path.of("src/test/resources/pictures/clevrtex.png");

    /** The programs' model of sprites. */
    private static final Path SPRITES =
            Path.of(
                    "examples/src/main/resources/org/slotwise/examples/diffusion",
                    "sprites-diffusion.safetensors");

    private static final List<String> IMPORTED =
            List.of(
                    "ai.djl",
                    "ai.djl.engine",
                    "ai.djl.ndarray",
                    "ai.djl.ndarray.types",
                    "ai.djl.nn",
                    "ai.djl.training",
                    "java.nio.file",
                    "java.util",
                    "org.slotwise.clustering",
                    "org.slotwise.conditioning",
                    "org.slotwise.grouping",
                    "org.slotwise.layer",
                    "org.slotwise.position",
                    "org.slotwise.weights");

    /** One snippet, shown by file and number. */
    record Snippet(String name, String code) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Snippet> snippets() throws IOException {
        List<Snippet> snippets = new ArrayList<>();
        for (Path file : Pages.all()) {
            Matcher block = BLOCK.matcher(Files.readString(file));
            while (block.find()) {
                snippets.add(new Snippet(file + " " + (snippets.size() + 1), block.group(1)));
            }
        }
        assertTrue(
                snippets.stream().anyMatch(s -> s.name().startsWith("README.md")),
                "README.md shows no Java");
        return snippets.stream();
    }

    @ParameterizedTest
    @MethodSource("snippets")
    @ResourceLock("engine")
    void compilesAndRuns(Snippet snippet, @TempDir Path folder) throws Exception {
        try (InputStream checkpoint = getClass().getResourceAsStream(CHECKPOINT)) {
            Files.copy(checkpoint, folder.resolve("model.ckpt"));
        }
        Files.copy(NETWORK, folder.resolve("vit.pt"));
        if (snippet.code().contains(SPRITES.getFileName().toString())) {
            Files.copy(SPRITES, folder.resolve(SPRITES.getFileName()));
        }
        Files.copy(PICTURE, folder.resolve("picture.png"));
        Path pictures = Files.createDirectory(folder.resolve("pictures"));
        Files.copy(PICTURE, pictures.resolve("a.png"));
        if (snippet.code().contains("my-pictures")) {
            drawPictures(folder.resolve("my-pictures"));
        }
        Path source = folder.resolve("Snippet.java");
        Files.writeString(source, program(snippet.code(), folder));
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        int status =
                compiler.run(
                        null,
                        null,
                        System.err,
                        "-proc:none",
                        "-cp",
                        System.getProperty("java.class.path"),
                        "-d",
                        folder.toString(),
                        source.toString());
        if (status != 0) {
            fail(snippet + " does not compile:\n" + Files.readString(source));
        }
        try (URLClassLoader loader =
                new URLClassLoader(
                        new URL[] {folder.toUri().toURL()}, getClass().getClassLoader())) {
            loader.loadClass("Snippet").getMethod("main").invoke(null);
        } catch (InvocationTargetException e) {
            throw new AssertionError(snippet + " fails", e.getCause());
        }
    }

    /** A few pictures of a square on a ground, and their masks. */
    private static void drawPictures(Path folder) throws IOException {
        for (String part : List.of("images", "masks")) {
            Path in = Files.createDirectories(folder.resolve(part));
            for (int i = 0; i < 6; i++) {
                BufferedImage picture = new BufferedImage(32, 32, BufferedImage.TYPE_BYTE_GRAY);
                for (int p = 0; p < 32 * 32; p++) {
                    boolean square = p / 32 > 9 && p / 32 < 20 && p % 32 > i && p % 32 < i + 10;
                    int level = part.equals("masks") ? 1 : 200;
                    picture.getRaster().setSample(p % 32, p / 32, 0, square ? level : 0);
                }
                ImageIO.write(picture, "png", in.resolve("00" + i + ".png").toFile());
            }
        }
    }

    /** The class around a snippet; the files that it names lie in the folder. */
    private static String program(String snippet, Path folder) {
        String prefix = folder.toString().replace('\\', '/') + '/';
        String code = snippet.replace("Path.of(\"", "Path.of(\"" + prefix);
        StringBuilder imports = new StringBuilder();
        StringBuilder statements = new StringBuilder();
        for (String line : code.split("\n", -1)) {
            (line.startsWith("import ") ? imports : statements).append(line).append('\n');
        }
        for (String name : IMPORTED) {
            imports.append("import ").append(name).append(".*;\n");
        }
        return imports
                + "public class Snippet {\npublic static void main() throws Exception {\n"
                + statements
                + "}\n}\n";
    }
}
