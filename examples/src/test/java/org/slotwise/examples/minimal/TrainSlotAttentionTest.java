package org.slotwise.examples.minimal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slotwise.examples.shared.Run;

class TrainSlotAttentionTest {

    private static final Pattern LOSS = Pattern.compile("loss (\\d+\\.\\d+)");

    private static final Pattern ARI = Pattern.compile("ARI (\\d+\\.\\d+)");

    private static String train(String... args) {
        return Run.of(new TrainSlotAttention(), args).succeeds().out();
    }

    private static List<Double> numbers(Pattern pattern, String out) {
        return pattern.matcher(out).results().map(m -> Double.valueOf(m.group(1))).toList();
    }

    @Test
    void learns() {
        String out = train("--epochs", "4");
        List<Double> losses = numbers(LOSS, out);
        assertEquals(4, losses.size());
        for (int i = 1; i < losses.size(); i++) {
            assertTrue(losses.get(i) < losses.get(i - 1), losses.toString());
        }
        assertTrue(losses.get(3) < 0.25 * losses.get(0), losses.toString());
        List<Double> agreement = numbers(ARI, out);
        assertEquals(4, agreement.size());
        assertTrue(agreement.get(3) > 0.8, agreement.toString());
    }

    @Test
    void repeatsASeed() {
        List<Double> first = numbers(LOSS, train("--epochs", "1", "--seed", "3"));
        assertEquals(first, numbers(LOSS, train("--epochs", "1", "--seed", "3")));
        assertNotEquals(first, numbers(LOSS, train("--epochs", "1", "--seed", "4")));
    }

    @ParameterizedTest
    @CsvSource({
        "--epochs, 0, must be 1 to 1000000",
        "--epochs, x, is not an int",
        "--x, 1, Unknown"
    })
    void refusesWrongOptions(String option, String value, String says) {
        Run.of(new TrainSlotAttention(), option, value).fails(2, option, says);
    }
}
