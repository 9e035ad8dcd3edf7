%% The cases of agents.c as Erlang has them:
%%
%%     erl +S 1:1 +sbwt none -noshell -pa DIR -run agents main ROUNDS CASE=COUNT...
%%
%% It prints what that prints.  Each case is written as Erlang does it best: mail is a small
%% binary, spawning comes in chunks, and a supervisor is replaced after 100 restarts, for it
%% counts them one by one.
-module(agents).
-export([main/1, init/1, handle_call/3, handle_cast/2, victim/1]).

-define(RING, 1000).
-define(CHUNK, 100).
-define(BURST, 15).
-define(RESTARTS, 100).
-define(MAIL, <<"sixteen letters.">>).

main([Rounds | Words]) ->
    logger:set_primary_config(level, none),
    Cases = [case_of(Word) || Word <- Words],
    [round(Cases, Round > 0) || Round <- lists:seq(0, list_to_integer(Rounds))],
    halt().

case_of(Word) ->
    [Name, Count] = string:split(Word, "="),
    {list_to_atom(Name), list_to_integer(Count)}.

round(Cases, IsShown) ->
    [measure(Name, Count, IsShown) || {Name, Count} <- Cases].

%% A process of its own for each case: nothing is left of the one before.
measure(Name, Count, IsShown) ->
    Main = self(),
    spawn(fun() -> Main ! {ns, run(Name, Count)}, exit(over) end),
    receive
        {ns, Ns} when IsShown -> io:format("~s ~b ~b 0~n", [Name, Count, Ns]);
        {ns, _} -> ok
    end.

run(Name, Count) ->
    Setup = setup(Name),
    Began = processor_ns(),
    go(Name, Count, Setup),
    processor_ns() - Began.

processor_ns() ->
    {Ms, _} = statistics(runtime),
    Ms * 1000000.

%% ---- setup

setup(ping) -> spawn_link(fun pong/0);
setup(ring) ->
    Main = self(),
    Last = spawn_link(fun() -> receive {next, First} -> hop(First, Main) end end),
    First = lists:foldl(fun(_, Next) -> spawn_link(fun() -> hop(Next, Main) end) end, Last,
                        lists:seq(2, ?RING)),
    Last ! {next, First},
    First;
setup(flood) -> spawn_link(fun swallow/0);
setup(call) ->
    {ok, Server} = gen_server:start_link(?MODULE, server, []),
    Server;
setup(_) -> none.

%% ---- cases

go(ping, Count, Pong) -> ping(Count, Pong);
go(ring, Count, First) ->
    First ! {Count, ?MAIL},
    receive done -> ok end;
go(flood, Count, Sink) ->
    flood(Count, Sink),
    receive swallowed -> ok end;
go(call, Count, Server) -> call(Count, Server);
go(spawn, Count, _) -> spawn_chunks(Count);
go(keep, Count, _) ->
    Pids = [spawn(fun kept/0) || _ <- lists:seq(1, Count)],
    [exit(Pid, kill) || Pid <- Pids];
go(restart, Count, _) ->
    process_flag(trap_exit, true),
    restarts(Count).

ping(Count, _) when Count =< 0 -> ok;
ping(Count, Pong) ->
    Pong ! {self(), ?MAIL},
    receive {_, _} -> ping(Count - 2, Pong) end.

pong() ->
    receive {From, Mail} -> From ! {self(), Mail}, pong() end.

hop(Next, Main) ->
    receive
        {0, _} -> Main ! done;
        {Count, Mail} -> Next ! {Count - 1, Mail}
    end,
    hop(Next, Main).

flood(0, _) -> ok;
flood(Count, Sink) ->
    Burst = min(Count, ?BURST),
    [Sink ! ?MAIL || _ <- lists:seq(1, Burst)],
    case Count of
        Burst -> Sink ! {last, self()};
        _ -> erlang:yield()
    end,
    flood(Count - Burst, Sink).

swallow() ->
    receive
        {last, From} -> From ! swallowed;
        _ -> swallow()
    end.

call(0, _) -> ok;
call(Count, Server) ->
    ?MAIL = gen_server:call(Server, ?MAIL),
    call(Count - 1, Server).

spawn_chunks(0) -> ok;
spawn_chunks(Count) ->
    Chunk = min(Count, ?CHUNK),
    spawn_some(Chunk),
    receive done -> spawn_chunks(Count - Chunk) end.

spawn_some(1) -> spawn(fun mayfly/0) ! self();
spawn_some(Left) ->
    spawn(fun mayfly/0) ! ?MAIL,
    spawn_some(Left - 1).

mayfly() ->
    receive
        Pid when is_pid(Pid) -> Pid ! done;
        _ -> ok
    end.

kept() -> receive never -> ok end.

%% ---- restarts

restarts(0) -> ok;
restarts(Count) ->
    Some = min(Count, ?RESTARTS),
    {ok, Supervisor} = supervisor:start_link(?MODULE, {supervisor, self()}),
    crash(Some),
    unlink(Supervisor),
    Ref = monitor(process, Supervisor),
    exit(Supervisor, shutdown),
    receive {'DOWN', Ref, _, _, _} -> ok end,
    restarts(Count - Some).

crash(0) -> receive {up, _} -> ok end;
crash(Left) ->
    receive {up, Pid} -> Pid ! boom end,
    crash(Left - 1).

victim(Tester) ->
    {ok, spawn_link(fun() ->
        Tester ! {up, self()},
        receive boom -> exit(boom) end
    end)}.

%% ---- what OTP calls

init(server) -> {ok, none};
init({supervisor, Tester}) ->
    {ok, {#{strategy => one_for_one, intensity => ?RESTARTS + 1, period => 3600},
          [#{id => victim, start => {?MODULE, victim, [Tester]}}]}}.

handle_call(Mail, _, State) -> {reply, Mail, State}.

handle_cast(_, State) -> {noreply, State}.
