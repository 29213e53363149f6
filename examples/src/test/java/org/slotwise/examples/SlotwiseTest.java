package org.slotwise.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.examples.shared.Run;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

class SlotwiseTest {

    private static final List<String> FOR_PICTURES =
            List.of("train", "evaluate", "predict", "show", "package", "distance", "scenes");

    private static Run run(String... args) {
        return Run.of(Slotwise.command(), args);
    }

    /** What can be typed: "discover", "discover train" and so on. */
    private static Stream<String> commands() {
        return Slotwise.command().subcommands().entrySet().stream()
                .flatMap(
                        program ->
                                Stream.concat(
                                        Stream.of(program.getKey()),
                                        program.getValue().getSubcommands().keySet().stream()
                                                .map(name -> program.getKey() + " " + name)));
    }

    @ParameterizedTest
    @MethodSource("commands")
    void helps(String command) {
        String out = run((command + " --help").split(" ")).succeeds().out();
        assertTrue(
                out.contains("Usage: slotwise " + command.replace("edit edit", "edit show")), out);
        assertTrue(out.contains("--help"), out);
    }

    @Test
    void aProgramIsCalledAsItsPackageOrLiesWithThoseForPictures() {
        Slotwise.command()
                .subcommands()
                .forEach(
                        (name, program) -> {
                            Class<?> type = program.getCommand().getClass();
                            assertEquals(
                                    "org.slotwise.examples."
                                            + (FOR_PICTURES.contains(name) ? "pictures" : name),
                                    type.getPackageName());
                            String own = type.getSimpleName();
                            assertEquals(
                                    own,
                                    new CommandLine(program.<Object>getCommand()).getCommandName());
                        });
    }

    @Test
    void withoutArgumentsItShowsWhatThereIs() {
        String out = run().succeeds().out();
        assertTrue(out.contains("Usage: slotwise "), out);
        CommandSpec all = Slotwise.command();
        List<String> names =
                List.of(
                        "train",
                        "evaluate",
                        "predict",
                        "show",
                        "package",
                        "distance",
                        "scenes",
                        "discover",
                        "group",
                        "photos",
                        "sets",
                        "edit",
                        "slate",
                        "gnm",
                        "diffusion",
                        "ablate",
                        "compare",
                        "minimal");
        assertEquals(names, List.copyOf(all.subcommands().keySet()));
        for (String name : names) {
            String does = all.subcommands().get(name).getCommandSpec().usageMessage().header()[0];
            assertTrue(does.endsWith("."), does);
            assertTrue(out.replaceAll("\\s+", " ").contains(name + " " + does), out);
        }
        assertEquals(out, run("--help").succeeds().out());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "foo | train, evaluate, predict, show, package, distance, scenes, discover, group,"
                        + " photos, sets, edit, slate, gnm, diffusion, ablate, compare or minimal, got foo",
                "foo --scenes 3 | ablate, compare or minimal, got foo",
                "discover foo | expected a command: train, evaluate, show, sweep or curves, got foo",
                "sets foo | expected a command: train, evaluate or show, got foo",
                "sets | train, evaluate or show, as in \"slotwise sets show\"",
                "edit | train, evaluate or show, as in \"slotwise edit show\"",
                "gnm | train, evaluate, show, generate, package or beside, as in",
                "slate | train, evaluate, show or compose, as in \"slotwise slate compose\"",
                "group foo | 'foo'",
                "--foo | '--foo'"
            })
    void saysWhichCommandsThereAre(String args, String says) {
        run(args.split(" ")).fails(2, says);
    }

    @Test
    void runsAProgram(@TempDir Path folder) throws IOException {
        Path figure = folder.resolve("figure.png");
        String out =
                run("group", "--slots", "3", "--size", "60", "--output", figure.toString())
                        .succeeds()
                        .out();
        assertTrue(out.contains("Pixels of the 3 slots: "), out);
        assertTrue(ImageIO.read(figure.toFile()).getWidth() > 500);
    }
}
