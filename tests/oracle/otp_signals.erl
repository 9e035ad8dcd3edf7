%% What Erlang's links, monitors and exit signals do under OTP's supervisor: the scenarios that begin
%% with `signals`.  tests/oracle/README.md has the grammar.
-module(otp_signals).
-behaviour(supervisor).
-export([run/2, init/1, start/4, work/4]).

-define(TICK, 200).

run(N, {signals, Strategy, Intensity, Agents, Acts}) ->
    Tab = ets:new(agents, [public]),
    Self = self(),
    Named = lists:zip([name(I) || I <- lists:seq(0, length(Agents) - 1)], Agents),
    Flags = #{strategy => lists:nth(Strategy + 1, [one_for_one, one_for_all, rest_for_one]),
              intensity => Intensity, period => 3600},
    Spec = {Flags, [child(Self, Tab, Name, Agent) || {Name, Agent} <- Named]},
    Parent = spawn(fun() -> parent(Self, Spec) end),
    put(due, now_ms()),
    First = settle(),
    Rest = [[act(Tab, Parent, Act), settle()] || Act <- Acts],
    exit(Parent, kill),
    [io_lib:format("## ~w~n", [N]), First, Rest].

now_ms() -> erlang:monotonic_time(millisecond).
name(I) -> list_to_atom("c" ++ integer_to_list(I)).
reason(Why) -> lists:nth(Why, [boom, normal, shutdown, {shutdown, x}, kill]).

child(Driver, Tab, Name, {Restart, Trap}) ->
    #{id => Name, restart => lists:nth(Restart + 1, [permanent, transient, temporary]),
      start => {?MODULE, start, [Driver, Tab, Name, Trap == 1]}}.

init(Spec) -> {ok, Spec}.

parent(Driver, Spec) ->
    process_flag(trap_exit, true),
    {ok, Sup} = supervisor:start_link(?MODULE, Spec),
    guard(Driver, Sup).

guard(Driver, Sup) ->
    receive
        stop -> exit(Sup, shutdown), guard(Driver, Sup);
        {'EXIT', Sup, Reason} -> Driver ! {sup_exit, Reason}
    end.

%% ---- an agent

start(Driver, Tab, Name, Trap) -> proc_lib:start_link(?MODULE, work, [Driver, Tab, Name, Trap]).

%% It runs when the driver watches it, so that its end is seen whatever it is.
work(Driver, Tab, Name, Trap) ->
    process_flag(trap_exit, Trap),
    Driver ! {started, Name, self()},
    receive go -> ok end,
    proc_lib:init_ack({ok, self()}),
    [Sup | _] = get('$ancestors'),
    loop({Driver, Tab, Name, Sup}, []).

loop({Driver, Tab, Name, Sup} = Me, Monitors) ->
    receive
        {die, Reason} -> exit(Reason);
        {link, Pid} -> link(Pid), loop(Me, Monitors);
        {unlink, Pid} -> unlink(Pid), loop(Me, Monitors);
        {monitor, Pid} -> loop(Me, Monitors ++ [{Pid, monitor(process, Pid)}]);
        {demonitor, Pid} ->
            case lists:keytake(Pid, 1, Monitors) of
                {value, {_, Ref}, Others} -> demonitor(Ref, [flush]), loop(Me, Others);
                false -> loop(Me, Monitors)
            end;
        {trap, On} -> process_flag(trap_exit, On), loop(Me, Monitors);
        {exit, Pid, Reason} -> exit(Pid, Reason), loop(Me, Monitors);
        {'EXIT', Sup, Reason} -> exit(Reason); % what gen_server does
        {'EXIT', Pid, Reason} ->
            Driver ! {got, Name, exit, who(Tab, Pid), Reason},
            loop(Me, Monitors);
        {'DOWN', Ref, process, Pid, Reason} ->
            Driver ! {got, Name, down, who(Tab, Pid), Reason},
            loop(Me, lists:keydelete(Ref, 2, Monitors))
    end.

who(Tab, Pid) -> ets:lookup_element(Tab, Pid, 2).

%% ---- the driver

%% What happened in a tick: the lines of each agent in order, one agent after the other, for what
%% happens to different ones has no order.
settle() ->
    Due = get(due) + ?TICK,
    put(due, Due),
    [Line || {_, Line} <- lists:keysort(1, lists:reverse(collect(Due, [])))].

collect(Due, Lines) ->
    receive
        {started, Name, Pid} ->
            N = case get({starts, Name}) of undefined -> 1; Before -> Before + 1 end,
            put({starts, Name}, N),
            put(Pid, Name),
            monitor(process, Pid),
            Pid ! go,
            collect(Due, [line(Name, "start ~w ~w", [Name, N]) | Lines]);
        {'DOWN', _, process, Pid, Reason} ->
            Name = get(Pid),
            collect(Due, [line(Name, "end ~w ~w", [Name, plain(Reason)]) | Lines]);
        {got, Name, What, Who, Reason} ->
            collect(Due, [line(Name, "~w ~w ~w ~w", [What, Name, Who, plain(Reason)]) | Lines]);
        {sup_exit, Reason} ->
            collect(Due, [line(sup, "sup_exit ~w", [Reason]) | Lines])
    after max(0, Due - now_ms()) -> Lines
    end.

%% A link with one that is gone is an error in the one who does not trap exits.
plain({noproc, [_ | _]}) -> noproc;
plain(Reason) -> Reason.

line(Name, Format, Args) -> {Name, io_lib:format(Format ++ "~n", Args)}.

%% The present or, if it has none, the last process of that name.
pids() -> [{Name, Pid} || {Pid, Name} <- get(), is_pid(Pid)].
last(Name) -> lists:last(lists:sort([Pid || {N, Pid} <- pids(), N =:= Name])).

act(_, Parent, stop) -> Parent ! stop, "> stop\n";
act(Tab, _, {I, 5}) ->
    told(Tab, I, io_lib:format("> ~w kill~n", [name(I)]), fun(Pid) -> exit(Pid, kill) end);
act(Tab, _, {I, Why}) ->
    told(Tab, I, io_lib:format("> ~w ~w~n", [name(I), reason(Why)]), fun(Pid) -> Pid ! {die, reason(Why)} end);
act(Tab, _, {trap, I, On}) ->
    told(Tab, I, io_lib:format("> trap ~w ~w~n", [name(I), On]), fun(Pid) -> Pid ! {trap, On == 1} end);
act(Tab, _, {exit, I, J, Why}) ->
    told(Tab, I, io_lib:format("> exit ~w ~w ~w~n", [name(I), name(J), reason(Why)]),
         fun(Pid) -> Pid ! {exit, last(name(J)), reason(Why)} end);
act(Tab, _, {What, I, J}) ->
    told(Tab, I, io_lib:format("> ~w ~w ~w~n", [What, name(I), name(J)]),
         fun(Pid) -> Pid ! {What, last(name(J))} end).

told(Tab, I, Line, Do) ->
    [ets:insert(Tab, {Pid, Name}) || {Name, Pid} <- pids()],
    Pid = last(name(I)),
    case is_process_alive(Pid) of
        true -> Do(Pid), Line;
        false -> io_lib:format("no ~w~n", [name(I)])
    end.
