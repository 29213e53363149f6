package org.slotwise.examples.pictures;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.examples.shared.Run;

/** What tests of the programs for pictures share: drawn pictures, and short commands. */
abstract class PicturePrograms {

    static final int SIDE = DrawnPictures.SIDE;

    @TempDir Path folder;
    Path drawn;

    @BeforeEach
    void draw() throws IOException {
        drawn = DrawnPictures.draw(folder.resolve("drawn"), 12);
    }

    String at(String name) {
        return folder.resolve(name).toString();
    }

    /** A short training; options replace those of the same name or come after them. */
    Run train(String name, String... more) {
        List<String> args = ShortTraining.options(drawn.toString(), at(name), 3, more);
        if (!args.contains("--report")) {
            args.addAll(List.of("--report", "2"));
        }
        return Run.of(new TrainPictures(), args.toArray(String[]::new));
    }

    static String[] all(String[] some, String... more) {
        return Stream.concat(Stream.of(some), Stream.of(more)).toArray(String[]::new);
    }

    static List<String> names(Path in) throws IOException {
        try (Stream<Path> files = Files.walk(in)) {
            return files.filter(Files::isRegularFile)
                    .map(file -> in.relativize(file).toString().replace('\\', '/'))
                    .sorted()
                    .toList();
        }
    }

    Run predict(Path from, Path to) {
        return Run.of(
                new PredictPictures(),
                "--model",
                "tetrominoes",
                "--images",
                from.toString(),
                "--out",
                to.toString(),
                "--format",
                "json");
    }
}
