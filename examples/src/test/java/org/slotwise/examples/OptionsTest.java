package org.slotwise.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.examples.shared.Run;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/** Wrong values of every option of every command: one line that says which option, and no work. */
class OptionsTest {

    private static final Set<String> SEEDS = Set.of("--seed", "--seeds");
    private static final Set<String> FROM_ZERO =
            Set.of(
                    "--data-seed",
                    "--parts",
                    "--position",
                    "--beta",
                    "--dropout",
                    "--void",
                    "--held-out",
                    "--least-score");
    private static final Set<String> READ =
            Set.of(
                    "--model",
                    "--image",
                    "--backbone",
                    "--images",
                    "--dvae",
                    "--masks",
                    "--real",
                    "--other",
                    "--inception");

    @TempDir Path folder;

    /** An option of a command, such as "discover train --steps". */
    record Subject(String command, OptionSpec option) {
        String name() {
            return option.longestName();
        }

        Run with(String value) {
            List<String> args = new ArrayList<>(List.of(command.split(" ")));
            args.addAll(List.of(name(), value));
            if (command.equals("distance") && !name().equals("--other")) {
                args.addAll(List.of("--other", usual("--other")));
            }
            if (command.equals("diffusion compose") && name().equals("--inception")) {
                args.addAll(List.of("--distance", "4"));
            }
            if (command.equals("discover curves")) {
                args.add("history.csv");
            }
            for (OptionSpec other : option.command().options()) {
                if (isNeeded(other) && !other.equals(option)) {
                    args.addAll(List.of(other.longestName(), usual(other.longestName())));
                }
            }
            return run(args.toArray(String[]::new));
        }

        /** Where scenes can be generated instead, pictures are needed as long as none are. */
        private static boolean isNeeded(OptionSpec one) {
            boolean instead = one.command().findOption("--generated") != null;
            return one.required() || one.longestName().equals("--images") && instead;
        }

        /** What an option that is needed may be. */
        private static String usual(String name) {
            return switch (name) {
                case "--model" -> "tetrominoes";
                case "--images", "--real", "--other" -> "../docs/images";
                default -> "target/out";
            };
        }

        boolean isFileOrFolder() {
            return option.type() == Path.class;
        }

        @Override
        public String toString() {
            return command + " " + name();
        }
    }

    private static Run run(String... args) {
        return Run.of(Slotwise.command(), args);
    }

    private static Stream<Subject> all() {
        return Slotwise.command().subcommands().entrySet().stream()
                .flatMap(entry -> options(entry.getKey(), entry.getValue()));
    }

    private static Stream<Subject> options(String name, CommandLine command) {
        return Stream.concat(
                command.getCommandSpec().options().stream()
                        .filter(option -> !option.usageHelp())
                        .map(option -> new Subject(name, option)),
                command.getSubcommands().entrySet().stream()
                        .flatMap(one -> options(name + " " + one.getKey(), one.getValue())));
    }

    private static Stream<Subject> numbers() {
        Set<Class<?>> types =
                Set.of(
                        int.class,
                        long.class,
                        double.class,
                        Integer.class,
                        Long.class,
                        Double.class);
        return all().filter(
                        one -> {
                            Class<?>[] auxiliary = one.option().auxiliaryTypes();
                            return types.contains(auxiliary[auxiliary.length - 1]);
                        });
    }

    private static Stream<Subject> inputs() {
        return all().filter(one -> one.isFileOrFolder() && READ.contains(one.name()));
    }

    private static Stream<Subject> outputs() {
        return all().filter(one -> one.isFileOrFolder() && !READ.contains(one.name()));
    }

    @Test
    void knowsAllOptions() {
        assertTrue(numbers().count() > 50, () -> numbers().toList().toString());
        assertTrue(inputs().count() >= 10, () -> inputs().toList().toString());
        assertTrue(outputs().count() >= 15, () -> outputs().toList().toString());
    }

    @ParameterizedTest
    @MethodSource("numbers")
    void refusesWhatIsNoUsefulNumber(Subject one) {
        for (String wrong : List.of("x", "NaN", "", "99999999999999999999", "1e400")) {
            one.with(wrong).fails(2, one.name());
        }
        if (!SEEDS.contains(one.name())) {
            one.with("-1").fails(2, one.name(), "must be", "got");
            if (!FROM_ZERO.contains(one.name())) {
                one.with("0").fails(2, one.name(), "must be", "got");
            }
        }
    }

    @ParameterizedTest
    @MethodSource("inputs")
    void saysWhatIsWrongWithWhatIsRead(Subject one) throws IOException {
        one.with(folder.resolve("missing").toString()).fails(1, "missing", one.name());
        boolean wantsFolder = one.name().equals("--images");
        Path wrong = wantsFolder ? Files.createFile(folder.resolve("file")) : folder;
        one.with(wrong.toString()).fails(1, wrong.toString(), one.name());
        Path empty = folder.resolve("empty");
        one.with((wantsFolder ? Files.createDirectory(empty) : Files.createFile(empty)).toString())
                .fails(1, "empty", one.name());
        Path closed = folder.resolve("closed");
        if (wantsFolder) {
            Files.createDirectory(closed);
        } else {
            Files.writeString(closed, "text");
        }
        Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("---------"));
        assumeFalse(Files.isReadable(closed), "who may read everything");
        one.with(closed.toString()).fails(1, "closed", "denied", one.name());
    }

    @ParameterizedTest
    @MethodSource("outputs")
    void saysWhatIsWrongWithWhatIsWritten(Subject one) throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "text");
        String label = one.option().paramLabel();
        for (String end : label.equals("FOLDER") ? List.of("") : List.of(".png", ".safetensors")) {
            Run run = one.with(file.resolve("under" + end).toString());
            assertTrue(run.exitCode() == 1 || run.exitCode() == 2 && !end.isEmpty(), run.err());
            assertTrue(run.err().contains(one.name()), run.err());
            assertFalse(run.err().contains("Exception"), run.err());
        }
        if (!label.equals("FOLDER")) {
            Run run = one.with(folder.toString());
            assertTrue(run.exitCode() == 1 || run.exitCode() == 2, run.err());
            assertTrue(run.err().contains(folder.toString()), run.err());
            assertTrue(run.err().contains(one.name()), run.err());
        }
    }

    /** Where nobody may write, not even who may do everything: no name of a temporary file. */
    @ParameterizedTest
    @MethodSource("outputs")
    void saysBeforeAnyWorkThatNothingCanBeWrittenThere(Subject one) {
        assumeTrue(Files.isDirectory(Path.of("/proc/self")), "another system");
        for (String end : List.of("", ".png", ".safetensors", ".zip", ".pt")) {
            Run run = one.with("/proc/x" + end);
            assertTrue(run.exitCode() == 1 || run.exitCode() == 2, run.err());
            assertTrue(run.err().contains(one.name()), run.err());
            assertFalse(run.err().contains(".tmp"), run.err());
            assertFalse(run.err().contains("it does not exist"), run.err());
            assertEquals("", run.out());
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "discover evaluate --data-seed -1 | --data-seed must be 0 to 2^32, got -1",
                "discover sweep --data-seed 4294967297 | --data-seed must be 0 to 2^32",
                "edit show --data-seed -1 | --data-seed must be 0 to 2^32, got -1",
                "sets show --data-seed -1 | --data-seed must be 0 to 2147483647, got -1",
                "discover show --slots 9 | --slots: slots of this model start on a grid of 4",
                "discover evaluate --slots 9 | must be 4, got 9",
                "discover show --image a.png --scenes 3 | --scenes has no effect beside --image",
                "discover show --image a.png --data-seed 3 | --data-seed has no effect beside --image",
                "discover train --resume | --resume needs --checkpoint",
                "discover train --checkpoint-every 5 | --checkpoint-every needs --checkpoint",
                "discover train --output a.safetensors --checkpoint ./a.safetensors |"
                        + " --checkpoint must be another file than --output",
                "discover train --history a --log a | --log must be another file than --history",
                "sets show --max-objects 6 --slots 5 | --slots must be 6 to 32, got 5",
                "group --slots 64 --size 16 --method foo | expected kmeans or stick-breaking, got foo",
                "photos --size 12 | --size must be a multiple of 8 without --backbone, got 12",
                "photos --size 8 | --slots must be at most the number of patches, 1, got 6",
                "photos --figures 3 | --figures needs --images",
                "photos --parts 2147483647 | --parts must be 0 to",
                "gnm train --size 40 --images a | --size must be 32, 64 or 128, got 40",
                "gnm train --size 64 | --size is for pictures of your own; generated scenes are 32 x"
                        + " 32, got 64",
                "gnm train --recipe good | --recipe must be likely or published, got good",
                "gnm train --images a --scenes 3 | --scenes has no effect beside --images",
                "gnm train --resume | --resume needs --checkpoint",
                "gnm show --images a --data-seed 3 | --data-seed has no effect beside --images",
                "gnm generate --mode --temperature 1 | --temperature has no effect beside --mode",
                "gnm beside --decoder foo | --decoder must be broadcast or colour, got foo",
                "gnm generate --temperature 0 | --temperature must be from 0.01 to 100, got 0",
                "slate train --dim 6 | --dim must be a multiple of 4, got 6",
                "slate train --images a --size 30 | --size must be a multiple of 4, got 30",
                "slate train --size 64 | --size needs --images",
                "slate train --images a --scenes 3 | --scenes has no effect beside --images",
                "slate train --dvae a --dvae-steps 3 | --dvae-steps has no effect beside --dvae",
                "slate train --resume | --resume needs --checkpoint",
                "slate train --dropout 1 | --dropout must be from 0 to below 1, got 1",
                "slate train --tokens a.safetensors --output a.safetensors | --tokens must be another",
                "slate show --images a --data-seed 3 | --data-seed has no effect beside --images",
                "slate compose --prompt 0:1,x | expected numbers as in 0:1,0:2,3:0, got 0:1,x",
                "slate compose --prompt 64:0 | --prompt must name pictures 0 to 63 and their slots 0 to 3, got 64:0",
                "slate compose --prompt 0:0 --pictures 3 | --pictures has no effect beside --prompt",
                "slate compose --top-k 3 | --top-k needs --temperature",
                "diffusion train --width 24 | --width must be a multiple of 16, got 24",
                "diffusion train --images a --size 36 | --size must be a multiple of 8, got 36",
                "diffusion train --size 64 | --size needs --images",
                "diffusion train --resume | --resume needs --checkpoint",
                "diffusion show --images a --data-seed 3 | --data-seed has no effect beside --images",
                "diffusion compose --prompt 0:1,x | expected numbers as in 0:1,0:2,3:0, got 0:1,x",
                "diffusion compose --prompt 0:0 --pictures 3 | --pictures has no effect beside --prompt",
                "diffusion compose --count 3 | --count needs --folder",
                "diffusion compose --repeats 3 | --repeats needs --distance",
                "diffusion compose --inception a.pt | --inception needs --distance",
                "diffusion compose --folder a --output b.png | --output has no effect beside --folder",
                "diffusion compose --distance 3 --folder a | --folder has no effect beside --distance",
                "diffusion compose --clusters a.jpg | --clusters must end in .png, got a.jpg",
                "diffusion compose --clusters a.png --output a.png | --output must be another file than --clusters",
                "diffusion compose --sampler dpm_solver --sampling-steps 1000 | --sampling-steps must be at most 999 for this model by DPM_SOLVER, got 1000",
                "diffusion show --sampler dpm_solver --sampling-steps 1000 | --sampling-steps must be at most 999",
                "diffusion train --cache a.png | --cache must be a folder, got a.png",
                "diffusion train --groups 33 | --groups must be 1 to 32, got 33",
                "diffusion evaluate --sampling-steps 0 | --sampling-steps must be 1 to 1000, got 0",
                "evaluate --model a --images a --scenes 3 | --scenes has no effect beside --images",
                "evaluate --model a --images a --data-seed 3 | --data-seed has no effect beside --images",
                "show --model a --images a --data-seed 3 | --data-seed has no effect beside --images",
                "train --preset pictures --out a | give --images or --generated, got neither",
                "train --preset pictures --out a --images a --generated clevr | give --images or --generated, got both",
                "discover show --scenes 3 --scenes 4 | --scenes",
                "discover show --what all,slots | --what",
            })
    void refusesWhatCannotBe(String args, String says) {
        run(args.split(" ")).fails(2, says);
    }
}
