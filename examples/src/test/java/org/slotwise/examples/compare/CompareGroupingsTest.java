package org.slotwise.examples.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slotwise.examples.shared.Run;

class CompareGroupingsTest {

    private static Run run(String... args) {
        return Run.of(new CompareGroupings(), args);
    }

    @Test
    void trainsEveryGroupingAndTheyDiffer() {
        String out = run("--all", "--steps", "2", "--scenes", "16", "--seeds", "0").ends().out();
        List<String> lines = out.lines().toList();
        int count = ComparedGroupings.ALL.size();
        assertEquals(2 * count + 2, lines.size(), out);
        assertEquals("2 steps, seeds [0], 16 scenes held out", lines.get(count));
        Set<String> errors = new HashSet<>();
        for (int i = 0; i < count; i++) {
            String name = ComparedGroupings.ALL.get(i).name();
            assertTrue(lines.get(i).startsWith(name + " "), out);
            String row = lines.get(count + 2 + i);
            String[] columns = row.trim().split(" +");
            assertEquals(name, columns[0]);
            assertFalse(row.contains("NaN"), row);
            assertTrue(errors.add(lines.get(i).replaceAll(".*MSE ([0-9.]+).*", "$1")), out);
            assertEquals("2", columns[4], row);
            assertTrue(Double.parseDouble(columns[5]) > 0, row);
            assertTrue(Long.parseLong(columns[6]) > 50_000, row);
            assertEquals(7, columns.length, row);
        }
    }

    @Test
    void stepsFollowFromTheTime() {
        String[] args = {
            "--scenes", "16", "--seeds", "0", "--only", "slot-mixture", "--cpu-seconds"
        };
        long[] steps = new long[2];
        for (int i = 0; i < 2; i++) {
            String[] all = Arrays.copyOf(args, args.length + 1);
            all[args.length] = i == 0 ? "0.1" : "4";
            String out = run(all).ends().out();
            assertTrue(out.contains("s of processor time, seeds [0]"), out);
            steps[i] = Long.parseLong(out.lines().toList().get(3).trim().split(" +")[4]);
        }
        // 40 times as long; but what else the machine does has a say.
        assertTrue(steps[1] > 8 * steps[0], Arrays.toString(steps));
    }

    @Test
    void repeatsASeedAndMeansOverSeeds() {
        String[] args = {"--steps", "2", "--scenes", "16", "--only", "slot-mixture", "--seeds"};
        String[] all = new String[args.length + 1];
        System.arraycopy(args, 0, all, 0, args.length);
        all[args.length] = "3,4,3";
        Run first = run(all).ends();
        assertTrue(first.err().startsWith("2 trainings of 2 steps\n"), first.err());
        String once = first.out();
        String again = run(all).ends().out();
        assertEquals(score(once, 0), score(again, 0));
        assertEquals(score(once, 1), score(again, 1));
        assertFalse(score(once, 0).equals(score(once, 1)));
        assertEquals(5, once.lines().count(), "a seed named twice runs once");
        assertTrue(once.contains("+-"), once);
    }

    private static String score(String out, int line) {
        return out.lines().toList().get(line).replaceAll(".*MSE ([0-9.]+).*", "$1");
    }

    @Test
    void listsGroupings() {
        String out = run("--list").succeeds().out();
        assertEquals(ComparedGroupings.ALL.size(), out.lines().count());
        assertTrue(out.contains("slot-mixture             SlotMixtureGrouping\n"), out);
        assertEquals(1, run("--list", "--only", "genesis-v2").succeeds().out().lines().count());
        Set<String> names = new HashSet<>();
        ComparedGroupings.ALL.forEach(one -> assertTrue(names.add(one.name()), one.name()));
    }

    @ParameterizedTest
    @CsvSource({
        "--steps, 0, --steps must be 1 to 1000000",
        "--scenes, 0, --scenes must be 1 to 100000",
        "--cpu-seconds, 0, --cpu-seconds must be above 0 and at most 1000000",
        "--threads, 0, --threads must be 1 to 1024",
        "--only, nothing, --only must be names that --list shows",
        "--seeds, x, x"
    })
    void refuses(String option, String value, String says) {
        run(option, value).fails(2, says);
    }
}
