package org.slotwise.examples.ablate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.examples.shared.Run;
import org.slotwise.training.LearningRate;

class AblateSlotAttentionTest {

    @TempDir Path folder;

    private static Run run(String... args) {
        return Run.of(new AblateSlotAttention(), args);
    }

    private Run few(String csv, String... more) {
        List<String> args = new ArrayList<>(List.of("--steps", "2", "--scenes", "16"));
        args.addAll(List.of("--csv", folder.resolve(csv).toString()));
        args.addAll(List.of(more));
        return run(args.toArray(String[]::new));
    }

    @Test
    void trainsEveryVariantAndTheyDiffer() throws IOException {
        String out = few("all.csv", "--all", "--seeds", "0").ends().out();
        List<String> lines = Files.readAllLines(folder.resolve("all.csv"));
        assertEquals(1 + 3 + Ablation.ALL.size(), lines.size());
        assertEquals("variant,seed,steps,scenes,fg_ari,ari,mse,seconds", lines.get(0));
        Set<String> scores = new HashSet<>();
        for (Ablation ablation : Ablation.ALL) {
            assertTrue(out.contains("\n" + ablation.name() + " "), ablation.name());
            String line =
                    lines.stream()
                            .filter(l -> l.startsWith(ablation.name() + ",0,2,16,"))
                            .findFirst()
                            .orElseThrow();
            assertFalse(line.contains("NaN"), line);
            assertTrue(scores.add(line.split(",")[6]), "the same error as another: " + line);
        }
        assertTrue(out.contains("\nfour-quarters "), out);
        assertTrue(out.contains("\nk-means "), out);
        assertTrue(out.contains("\nk-means-colour "), out);
        assertTrue(out.contains("[21 of 21] slot-mlp "), out);
    }

    @Test
    void doesNotRepeatWhatTheFileHolds() throws IOException {
        few("some.csv", "--only", "baseline,sum", "--seeds", "0").ends();
        Path file = folder.resolve("some.csv");
        String before = Files.readString(file);
        String again = few("some.csv", "--only", "baseline,sum", "--seeds", "0").ends().out();
        assertEquals(before, Files.readString(file));
        assertFalse(again.contains(" of "), again);
        assertTrue(again.contains("\nbaseline "), again);

        String more = few("some.csv", "--only", "sum", "--seeds", "0,1,1").ends().out();
        assertTrue(more.contains("[2 of 2] sum "), more);
        assertFalse(more.contains("[1 of 2]"), more);
        assertFalse(more.contains("\nbaseline "), more);
        assertTrue(Files.readString(file).startsWith(before));
        assertEquals(before.lines().count() + 1, Files.readAllLines(file).size());
        assertTrue(more.contains("+-"), more);

        // Other steps and other scenes are other runs.
        for (String[] other : new String[][] {{"1", "16"}, {"2", "17"}}) {
            String[] args = {
                "--steps",
                other[0],
                "--scenes",
                other[1],
                "--only",
                "sum",
                "--seeds",
                "0",
                "--csv",
                file.toString()
            };
            String out = run(args).ends().out();
            assertTrue(out.contains("[1 of 1] sum "), out);
        }
    }

    @Test
    void repeatsASeed() throws IOException {
        for (String file : new String[] {"a.csv", "b.csv"}) {
            few(file, "--only", "baseline", "--seeds", "3").ends();
        }
        few("c.csv", "--only", "baseline", "--seeds", "4").ends();
        assertEquals(error("a.csv"), error("b.csv"));
        assertNotEquals(error("a.csv"), error("c.csv"));
    }

    private String error(String file) throws IOException {
        return Files.readAllLines(folder.resolve(file)).get(4).split(",")[6];
    }

    @Test
    void listsVariants() {
        String out = run("--list").succeeds().out();
        assertEquals(Ablation.ALL.size(), out.lines().count());
        assertTrue(out.contains("no-gru             the update replaces the slot\n"), out);
        assertEquals(1, run("--list", "--only", "sum").succeeds().out().lines().count());
        Set<String> names = new HashSet<>();
        Ablation.ALL.forEach(one -> assertTrue(names.add(one.name()), one.name()));
    }

    @Test
    void takesThreads() {
        String property = "ai.djl.pytorch.num_threads";
        String before = System.getProperty(property);
        try {
            few("threads.csv", "--only", "sum", "--seeds", "0", "--threads", "2").ends();
            assertEquals("2", System.getProperty(property));
        } finally {
            if (before == null) {
                System.clearProperty(property);
            } else {
                System.setProperty(property, before);
            }
        }
    }

    @Test
    void helps() {
        assertTrue(run("--help").succeeds().out().contains("Usage: AblateSlotAttention"));
    }

    @ParameterizedTest
    @CsvSource({
        "--steps, 0, must be 1 to",
        "--scenes, 0, must be 1 to",
        "--threads, 0, must be 1 to",
        "--seeds, x, is not an int",
        "--only, no-such, must be names that --list shows",
        "--colour, 1, Unknown"
    })
    void refusesWrongOptions(String option, String value, String says) {
        run(option, value).fails(2, option, says);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a,b,c\n",
                "variant,seed,steps,scenes,fg_ari,ari,mse,seconds\nbaseline,0,2\n",
                "variant,seed,steps,scenes,fg_ari,ari,mse,seconds\nbaseline,0,2,x,1,1,1,1\n",
                "variant,seed,steps,scenes,fg_ari,ari,mse,seconds\n\"baseline,0,2,16,1,1,1,1\n"
            })
    void saysWhichFileIsWrong(String content) throws IOException {
        Files.writeString(folder.resolve("wrong.csv"), content);
        few("wrong.csv").fails(1, "wrong.csv is no table of this program");
        assertEquals(content, Files.readString(folder.resolve("wrong.csv")));
    }

    @Test
    void saysWhichFolderIsMissing() {
        few("no/table.csv").fails(1, "does not exist");
        few("").fails(1, "is a folder");
    }

    @Test
    void meansOverSeedsWithTheDeviation() throws IOException {
        AblationTable table = new AblationTable(null);
        AblationRun.Key one = new AblationRun.Key("a", 0, 5, 16);
        AblationRun.Key two = new AblationRun.Key("a", 1, 5, 16);
        AblationRun.Key ranAway = new AblationRun.Key("b", 0, 5, 16);
        AblationRun.Key missing = new AblationRun.Key("c", 0, 5, 16);
        table.add(new AblationRun(one, 0.5, 0.1, 0.02, 3));
        table.add(new AblationRun(two, 0.7, 0.1, 0.04, 5));
        table.add(new AblationRun(ranAway, Double.NaN, Double.NaN, Double.NaN, 1));
        StringWriter out = new StringWriter();
        table.print(new PrintWriter(out), List.of(one, ranAway, two, missing));
        List<String> lines = out.toString().lines().map(l -> l.replaceAll(" +", " ")).toList();
        assertEquals(3, lines.size());
        assertEquals("a 0.600 +- 0.141 0.100 +- 0.000 0.0300 +- 0.0141 4 2", lines.get(1));
        assertEquals("b - - - 1 1", lines.get(2));
    }

    @Test
    void warmsUpAndDecays() {
        LearningRate rate = AblationTraining.learningRate(1000);
        assertEquals(1e-3, rate.at(100), 1e-12);
        assertEquals(2e-3, rate.at(200), 1e-12);
        assertEquals(2e-5, rate.at(1000), 1e-12);
        assertEquals(2e-3, AblationTraining.learningRate(100).at(25), 1e-12);
        assertTrue(AblationTraining.learningRate(1).at(1) > 0);
    }
}
