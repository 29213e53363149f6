package org.slotwise.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.examples.pictures.DrawnPictures;
import org.slotwise.examples.shared.Run;
import org.slotwise.model.ObjectDiscoveryModel;

/** The commands of docs/own-pictures.md, one after the other, with short trainings. */
class OwnPicturesPageTest {

    private static final Path PAGE = Path.of("..", "docs", "own-pictures.md");
    private static final Pattern COMMANDS =
            Pattern.compile("<!-- commands -->\n```\n(.*?)```", Pattern.DOTALL);
    private static final String LAUNCHER = "examples/target/bin/slotwise ";
    private static final Set<String> NO_PATHS = Set.of("--slots", "--size", "--seed", "--format");

    @TempDir Path folder;

    @Test
    void commandsRun() throws IOException {
        DrawnPictures.draw(folder.resolve("my-pictures"), 12);
        Matcher blocks = COMMANDS.matcher(Files.readString(PAGE));
        int count = 0;
        while (blocks.find()) {
            for (String line : blocks.group(1).split("\n")) {
                assertTrue(line.startsWith(LAUNCHER), line);
                Run.of(Slotwise.command(), arguments(line.substring(LAUNCHER.length()))).succeeds();
                count++;
            }
        }
        assertEquals(10, count);
        assertTrue(Files.exists(folder.resolve("my-model/weights.safetensors")));
        assertTrue(Files.exists(folder.resolve("found/000.json")));
        assertTrue(Files.exists(folder.resolve("annotations/coco.json")));
    }

    /** Files lie in a folder of their own; three steps are enough. */
    private String[] arguments(String line) {
        List<String> arguments = new ArrayList<>();
        String option = "";
        boolean command = true;
        for (String word : line.split(" +")) {
            command &= word.matches("[a-z]+");
            boolean path =
                    !command
                            && !word.startsWith("--")
                            && !NO_PATHS.contains(option)
                            && !ObjectDiscoveryModel.shippedNames().contains(word);
            arguments.add(path ? folder.resolve(word).toString() : word);
            option = word;
        }
        if (line.startsWith("train ")) {
            arguments.addAll(List.of("--steps", "3"));
        }
        return arguments.toArray(String[]::new);
    }
}
